// SPDX-License-Identifier: LGPL-2.1-or-later
#include "job_state_files.hpp"

#include "lhsmtool_mpi/bulk/job_watcher.hpp"
#include "run_files.hpp"

namespace lhsm::cli {

namespace {

using store::ItemAction;
using store::ItemResult;

report::StateFiles::Options options_of(const ServeOptions& serve, const std::string& command) {
  auto options = state_files_of(serve);
  options.command = command;
  return options;
}

}  // namespace

JobStateFiles::JobStateFiles(const ServeOptions& options, const std::string& command, bulk::JobRun& run, std::uint64_t ranks)
    : m_run(run), m_ranks(ranks), m_files(m_nobody, options_of(options, command)) {}

run::RunState JobStateFiles::state() const {
  const bulk::JobProgress progress = m_run.job().progress();
  const auto count = [&progress](ItemResult result) { return progress.totals.results.at(static_cast<std::size_t>(result)); };
  run::RunState state;
  state.ranks = m_ranks;
  state.job = bulk::counts_of(m_run, progress);
  state.running = progress.inflight;
  state.failed = count(ItemResult::failed) + count(ItemResult::refused);
  state.cancelled = count(ItemResult::cancelled);
  const std::uint64_t done = count(ItemResult::done);
  switch (m_run.action()) {
    case ItemAction::archive: state.archived = done; break;
    case ItemAction::restore: state.restored = done; break;
    case ItemAction::remove: state.removed = done; break;
    case ItemAction::import: state.imported = done; break;
    default: state.released = done;
  }
  state.draining = !progress.stopped_because.empty();
  return state;
}

void JobStateFiles::update() {
  if (m_files.is_due(m_clock.now())) m_files.update(state(), m_clock.now());
}

void JobStateFiles::close() {
  const run::RunState last = state();
  m_files.update(last, m_clock.now());  // for the job's counts
  m_files.close(last, m_clock.now());
}

}  // namespace lhsm::cli
