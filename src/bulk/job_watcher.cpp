// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/job_watcher.hpp"

#include <algorithm>

namespace lhsm::bulk {

using store::ItemAction;
using store::ItemResult;

run::JobCounts counts_of(const JobRun& run, const JobProgress& progress) {
  const Census& before = run.census();
  run::JobCounts counts;
  counts.items = before.items;
  counts.final = before.items - before.left();
  counts.unsuccessful = before.unsuccessful();
  for (std::size_t i = 1; i < store::k_item_results; ++i) counts.final += progress.totals.results.at(i);
  for (const auto result : {ItemResult::failed, ItemResult::refused, ItemResult::cancelled})
    counts.unsuccessful += progress.totals.results.at(static_cast<std::size_t>(result));
  counts.lacks_space = progress.lacks_space;
  counts.done = progress.totals.results.at(static_cast<std::size_t>(ItemResult::done));
  if (run.action() != ItemAction::archive && run.action() != ItemAction::restore) return counts;
  counts.bytes = before.bytes;
  counts.final_bytes = before.bytes - before.result_bytes.at(static_cast<std::size_t>(ItemResult::pending)) + progress.final_bytes;
  counts.done_bytes = progress.done_bytes;
  return counts;
}

void JobWatcher::update(const run::RunState& state, TimePoint now) {
  if (state.draining) m_run.job().stop("the run was told to stop");
  run::RunState with_job = state;
  run::JobCounts& counts = with_job.job.emplace(counts_of(m_run, m_run.job().progress()));
  // A file that has grown since the scan may be more than its size there.
  counts.final_bytes = std::min(counts.bytes, counts.final_bytes + state.bulk_bytes);
  counts.done_bytes += state.bulk_bytes - state.bulk_kept;
  m_inner.update(with_job, now);
}

void JobWatcher::taken_in(const ActionItem& item) {
  m_inner.taken_in(item);
  m_run.job().taken_in(item);
}

void JobWatcher::ended(const ActionItem& item, const run::ActionOutcome& outcome) {
  m_inner.ended(item, outcome);
  m_run.job().ended(item, outcome);
}

}  // namespace lhsm::bulk
