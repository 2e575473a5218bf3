// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/bulk/job_run.hpp"
#include "lhsmtool_mpi/run/run_state.hpp"

namespace lhsm::bulk {

/// Return how far the job is: how its items stood when it was opened, and what this run has added.
[[nodiscard]] run::JobCounts counts_of(const JobRun& run, const JobProgress& progress);

/// Watches a dispatcher for a job: tells the job what becomes of its actions, stops it when the run drains, and passes on
/// what it sees with the job's counts in it.
class JobWatcher final : public run::Observer {
 public:
  /// Both outlive it.
  JobWatcher(run::Observer& inner, JobRun& run) : m_inner(inner), m_run(run) {}
  void update(const run::RunState& state, TimePoint now) override;
  void failed(const ActionItem& item, const Error& error) override { m_inner.failed(item, error); }
  void taken_in(const ActionItem& item) override;
  void ended(const ActionItem& item, const run::ActionOutcome& outcome) override;

 private:
  run::Observer& m_inner;
  JobRun& m_run;
};

}  // namespace lhsm::bulk
