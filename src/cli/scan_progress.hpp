// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "lhsmtool_mpi/report/progress.hpp"
#include "lhsmtool_mpi/scan/dispatcher.hpp"

namespace lhsm::cli {

/// Shows people how far a scan is, as report::ProgressPrinter does for a copytool: a live line, or a line each `interval`
/// (0: none). Problems go to the log; a flood of them is cut and counted.
class ScanProgress final : public scan::ScanObserver {
 public:
  ScanProgress(std::FILE* out, report::Style style, std::chrono::seconds interval);
  void update(const scan::ScanTotals& totals, TimePoint now) override;
  void problem(const Error& error) override;
  /// Print the summary; `manifest` is empty when there is none.
  void close(const scan::ScanTotals& totals, int ranks, const std::string& manifest, Duration took);

 private:
  std::FILE* m_out;
  bool m_terminal;
  Duration m_interval;
  bool m_line_open = false;
  TimePoint m_next{};
  TimePoint m_window{};
  std::uint64_t m_logged_in_window = 0;
  std::uint64_t m_logged = 0;
  report::RateEstimator m_rate;
};

}  // namespace lhsm::cli
