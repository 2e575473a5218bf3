// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "lhsmtool_mpi/report/progress.hpp"
#include "lhsmtool_mpi/scan/dispatcher.hpp"
#include "lhsmtool_mpi/scan/failed_names.hpp"

namespace lhsm::cli {

/// Shows people how far a scan is, as report::ProgressPrinter does for a copytool: a live line, or a line each `interval`
/// (0: none). Problems go to the log; a flood of them is folded.
class ScanProgress final : public scan::ScanObserver {
 public:
  /// `failed` gets the names of what failed; it outlives this.
  ScanProgress(std::FILE* out, report::Style style, std::chrono::seconds interval, scan::FailedNames& failed);
  void update(const scan::ScanTotals& totals, TimePoint now) override;
  void problem(const Error& error) override;
  void failed_names(std::string_view names) override { m_failed.add(names); }
  /// Print the summary; `manifest` is empty when there is none.
  void close(const scan::ScanTotals& totals, int ranks, const std::string& manifest, Duration took);

 private:
  std::FILE* m_out;
  scan::FailedNames& m_failed;
  report::ProgressLines m_lines;
  report::FailureLog m_log;
  std::uint64_t m_told = 0;  // problems that came here
  report::RateEstimator m_rate;
};

}  // namespace lhsm::cli
