// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdio>
#include <functional>

#include "lhsmtool_mpi/report/progress.hpp"
#include "lhsmtool_mpi/verify/dispatcher.hpp"

namespace lhsm::cli {

/// Shows people how far a verification is, as ScanProgress does for a scan, and notes what failed.
class VerifyProgress final : public verify::Observer {
 public:
  /// What is to be listed of an object; 16 bytes each.
  struct Failed {
    std::uint64_t row;
    std::int32_t sys_errno;
    verify::Verdict verdict;
  };

  VerifyProgress(std::FILE* out, report::Style style, std::chrono::seconds interval, std::uint64_t items);
  void update(const verify::Totals& totals, TimePoint now) override;
  void found(const verify::Finding& finding) override;
  /// There is nothing more to come.
  void close();

  /// Return what failed, in the order of rows.
  [[nodiscard]] const std::vector<Failed>& failed();

 private:
  report::ProgressLines m_lines;
  report::FailureLog m_log;
  std::uint64_t m_items;
  report::RateEstimator m_rate;
  std::vector<Failed> m_failed;
};

}  // namespace lhsm::cli
