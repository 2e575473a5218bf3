// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a check found, for people: the same finding of several ranks is one line.
#pragma once

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/comm/check_messages.hpp"

namespace lhsm::check {

using comm::CheckFinding;
using comm::CheckVerdict;

/// What findings are about, in the order in which they are shown.
inline constexpr std::array<std::string_view, 14> k_subjects{
    "ranks",        "mpi",        "clock",       "mount",       "version",
    "privileges",   "coordinator", "hsm_control", "max_requests", "active_request_timeout",
    "grace_delay",  "loop_period", "default_archive_id", "archive"};

/// "OK", "WARN", "FAIL".
[[nodiscard]] std::string_view to_string(CheckVerdict verdict);

/// Return ranks as "0-3,7".
[[nodiscard]] std::string ranks_text(const std::set<WorkerId>& ranks);

/// A finding, and the ranks that made it.
struct ReportLine {
  CheckFinding finding;
  std::set<WorkerId> ranks;
};

/// For one thread.
class Report {
 public:
  void add(WorkerId rank, CheckFinding finding);

  /// In the order of k_subjects, within one the worst first.
  [[nodiscard]] std::vector<ReportLine> lines() const;
  /// Lines of a verdict.
  [[nodiscard]] std::size_t count(CheckVerdict verdict) const;
  [[nodiscard]] CheckVerdict worst() const;

 private:
  std::vector<ReportLine> m_lines;
};

}  // namespace lhsm::check
