// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The first 512 bytes of a manifest, which HDF5 leaves to its users: text that says what the file is, how long, and
// what its checksum is. So a file that is none, is of a newer format, cut short or damaged is found before the HDF5
// library, which may crash on such files, sees it.
#pragma once

#include <cstdint>
#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/store/disk.hpp"
#include "lhsmtool_mpi/store/item.hpp"

namespace lhsm::store {

inline constexpr std::uint64_t k_seal_bytes = 512;

struct ManifestSeal {
  ManifestIdentity identity;
  std::uint64_t bytes = 0;     ///< of the whole file
  std::uint64_t checksum = 0;  ///< XXH3-64 of what follows the seal
  friend bool operator==(const ManifestSeal&, const ManifestSeal&) = default;
};

/// Compute and write the seal of the manifest that is otherwise complete.
[[nodiscard]] Status write_seal(int fd, const ManifestIdentity& identity, const std::string& path, Disk& disk);
/// Read the seal and compare the file's size.
[[nodiscard]] Outcome<ManifestSeal> read_seal(int fd, const std::string& path);
/// Read the whole file and compare its checksum.
[[nodiscard]] Status verify_seal(int fd, const ManifestSeal& seal, const std::string& path);

/// What is wrong with a file, as an error of one line: `why` follows the path.
[[nodiscard]] Failure corrupt(const std::string& path, const std::string& why);

}  // namespace lhsm::store
