// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What stands in a job's lock file: 512 bytes of text, written at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/process_identity.hpp"

namespace lhsm::store {

struct LockOwner {
  ProcessIdentity process;
  std::string host;
  bool is_locked = false;   ///< the file is locked, by a lock that reaches all hosts, as long as the process lives
  std::uint64_t token = 0;  ///< random: whose file it is
  std::int64_t since_ns = 0;
  std::uint64_t beats = 0;  ///< goes up with each refresh
  std::int64_t beat_ns = 0;

  [[nodiscard]] std::string text() const;
  [[nodiscard]] static std::optional<LockOwner> parse(std::string_view text);
  /// Return "pid 17 on n1 since …, last sign of life …".
  [[nodiscard]] std::string describe() const;
  friend bool operator==(const LockOwner& a, const LockOwner& b) { return a.text() == b.text(); }
};

/// Read a lock file by its name. `not_found`; nothing when what stands there is no owner.
[[nodiscard]] Outcome<std::optional<LockOwner>> read_owner(const std::string& path);
[[nodiscard]] Status write_owner(int fd, const LockOwner& owner, const std::string& path);

}  // namespace lhsm::store
