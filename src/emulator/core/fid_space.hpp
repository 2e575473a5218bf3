// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

/// How FIDs are spread over the MDTs: each owns a range of sequences.
inline constexpr std::uint64_t k_first_sequence = 0x200000400;
inline constexpr std::uint64_t k_sequences_per_mdt = 0x40000000;
inline constexpr std::uint32_t k_oids_per_sequence = 0x1ffff;
/// Volatile files a client may make before it has to ask again.
inline constexpr std::uint32_t k_fids_per_block = 64;
inline constexpr Fid k_root_fid{0x200000007, 1, 0};

/// Return the MDT that holds a file, or nothing for a FID that no MDT owns.
[[nodiscard]] constexpr std::optional<std::uint32_t> mdt_of(const Fid& fid, std::uint32_t mdt_count) {
  if (fid.seq == k_root_fid.seq) return 0;
  if (fid.seq < k_first_sequence) return std::nullopt;
  const auto mdt = (fid.seq - k_first_sequence) / k_sequences_per_mdt;
  if (mdt >= mdt_count) return std::nullopt;
  return static_cast<std::uint32_t>(mdt);
}

}  // namespace lhsm::emulator
