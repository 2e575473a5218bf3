// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Files that say how a run stands: the status (JSON) and the metrics, replaced whole once a second and at the end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lhsmtool_mpi/report/progress.hpp"
#include "lhsmtool_mpi/report/status.hpp"
#include "lhsmtool_mpi/report/tally.hpp"
#include "lhsmtool_mpi/run/run_detail.hpp"
#include "lhsmtool_mpi/run/run_state.hpp"

namespace lhsm::report {

/// Replace `path`: who opens it sees the former text or this one, whole. Not synced.
[[nodiscard]] Status replace_file(const std::string& path, const std::string& text);

/// Watches a run, and passes on to another observer what it sees. The files are made and written by a thread of its own, which gets a copy; a
/// write that fails is a warning, once, and one that hangs costs the run ten seconds at its end and nothing else.
class StateFiles final : public run::Observer {
 public:
  struct Options {
    std::string status_file;   ///< empty: none
    std::string metrics_file;  ///< empty: none
    std::string command;
    std::string mount_point;
    std::string version;
  };

  /// `inner` outlives it.
  StateFiles(run::Observer& inner, Options options);
  ~StateFiles() override;
  StateFiles(const StateFiles&) = delete;
  StateFiles& operator=(const StateFiles&) = delete;

  void update(const run::RunState& state, TimePoint now) override;
  void failed(const ActionItem& item, const Error& error) override { m_inner.failed(item, error); }
  void taken_in(const ActionItem& item) override { m_inner.taken_in(item); }
  void ended(const ActionItem& item, const run::ActionOutcome& outcome) override;
  /// Whether update() would write.
  [[nodiscard]] bool is_due(TimePoint now) const { return m_writer != nullptr && now >= m_next; }
  /// Write for the last time, and wait for that.
  void close(const run::RunState& state, TimePoint now);

 private:
  struct Writer;
  void write(const run::RunState& state, TimePoint now, std::string how);
  [[nodiscard]] RunStatus make(const run::RunState& state, TimePoint now, std::string how);
  void add_detail(RunStatus& status, const run::RunDetail& detail, TimePoint now);

  run::Observer& m_inner;
  Options m_options;
  std::string m_process;
  std::string m_host;
  std::int64_t m_started_ms;
  Tally m_tally;
  TimePoint m_next{};
  RateEstimator m_rate;
  std::vector<RateEstimator> m_rank_rates;
  std::optional<run::JobCounts> m_job;  // as last seen
  std::shared_ptr<Writer> m_writer;     // null: there is nothing to write
};

}  // namespace lhsm::report
