// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/report/progress_lines.hpp"
#include "lhsmtool_mpi/run/run_state.hpp"

namespace lhsm::report {

/// Rates over the last minute or so, from samples of counters; until then over the time since the first sample.
class RateEstimator {
 public:
  void sample(TimePoint now, std::uint64_t files, std::uint64_t bytes);
  [[nodiscard]] bool has_begun() const { return m_begun; }
  /// Return the time from the first sample to the last one.
  [[nodiscard]] Duration elapsed() const { return m_last - m_first; }
  [[nodiscard]] double files_per_second() const { return m_files_per_second; }
  [[nodiscard]] double bytes_per_second() const { return m_bytes_per_second; }

 private:
  bool m_begun = false;
  double m_known = 0;  // weight of all samples so far; 1: the memory is full
  TimePoint m_first;
  TimePoint m_last;
  std::uint64_t m_files = 0;
  std::uint64_t m_bytes = 0;
  double m_files_per_second = 0;
  double m_bytes_per_second = 0;
};

/// Return how many seconds the rest of a job takes, at the rate of its files in this run or of its bytes, whichever takes
/// longer. Nothing: nothing is left, or the run, which has lasted for `elapsed`, has done nothing yet.
[[nodiscard]] std::optional<double> seconds_left(const run::JobCounts& job, Duration elapsed);

/// Return one progress line, without a line end.
[[nodiscard]] std::string progress_line(const run::RunState& state, const RateEstimator& rate);

/// Return the block of lines that closes a run; its rates are over all of the time that it took. That of a
/// job counts actions as such: the job has a summary of its own.
[[nodiscard]] std::string summary(const run::RunState& state, std::chrono::duration<double> took,
                                  const std::map<std::string, std::uint64_t>& errors);

/// Shows people how far it is: a live line, or a line each `interval` (0: none). Failures go to the log, each with file, operation and errno;
/// a flood of them is folded.
class ProgressPrinter final : public run::Observer {
 public:
  ProgressPrinter(std::FILE* out, Style style, std::chrono::seconds interval);
  void update(const run::RunState& state, TimePoint now) override;
  void failed(const ActionItem& item, const Error& error) override;
  /// Leave the live line: others have something to print.
  void end();
  /// Print the summary; `state` need not know of the job that update() was told of.
  void close(const run::RunState& state, TimePoint now);

 private:
  std::FILE* m_out;
  ProgressLines m_lines;
  FailureLog m_failures;
  RateEstimator m_rate;
  std::optional<run::JobCounts> m_job;           // as last seen
  std::map<std::string, std::uint64_t> m_errors;  // by action, operation and errno
};

}  // namespace lhsm::report
