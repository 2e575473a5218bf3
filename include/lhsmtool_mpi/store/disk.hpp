// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::store {

/// The calls by which files become durable, so that tests can fail each of them, or end the process there.
/// All may be called from any thread. A failed sync says nothing about what a later one would say: after it nothing
/// that was written may be believed to be on disk.
class Disk {
 public:
  virtual ~Disk() = default;
  /// Write all of `bytes` at `offset`.
  virtual Status write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset, const std::string& path);
  virtual Status sync_data(int fd, const std::string& path);
  virtual Status sync(int fd, const std::string& path);
  virtual Status truncate(int fd, std::uint64_t size, const std::string& path);
  /// Give `from` the name `to`, whatever has it.
  virtual Status rename(const std::string& from, const std::string& to);
  /// Give `from` the name `to`; EEXIST when that name is taken.
  virtual Status rename_new(const std::string& from, const std::string& to);
  /// Remove a name; that it is gone already is no error.
  virtual Status remove(const std::string& path);
  /// Make the names in the directory of `path` durable.
  virtual Status sync_directory_of(const std::string& path);

  /// The real one.
  [[nodiscard]] static Disk& real();
};

}  // namespace lhsm::store
