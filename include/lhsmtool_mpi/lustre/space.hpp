// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where there is room: what OSTs, and the quotas of owners, tell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lhsm::lustre {

struct OstSpace {
  std::uint32_t index = 0;
  std::string name;              ///< "scratch-OST0001"
  int sys_errno = 0;             ///< not 0: nothing else is known. ENODATA: inactive; others: it does not answer
  std::uint32_t states = 0;      ///< OS_STATFS_*
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;    ///< for data
  std::uint64_t free_objects = 0;  ///< that can still be made
};

/// The numbers are Lustre's.
enum class QuotaKind : std::uint8_t { user = 0, group = 1, project = 2 };

[[nodiscard]] std::string_view to_string(QuotaKind kind);

/// Limits that nobody passes, and what is used. Limit 0: none.
struct Quota {
  std::uint64_t byte_limit = 0;
  std::uint64_t bytes = 0;
  std::uint64_t file_limit = 0;
  std::uint64_t files = 0;
};

}  // namespace lhsm::lustre
