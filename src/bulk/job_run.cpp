// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/job_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "lhsmtool_mpi/bulk/ask_broker.hpp"
#include "lhsmtool_mpi/bulk/failed_list.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/store/library_versions.hpp"

namespace lhsm::bulk {

namespace {

constexpr unsigned k_most_askers = 64;  // threads that wait for other ranks

/// The rows that an earlier run left at the coordinator.
Outcome<std::vector<OpenRequest>> open_requests(store::ManifestReader& manifest, const store::JournalState& state) {
  using store::Column;
  constexpr store::Columns k_columns{Column::fid_seq,    Column::fid_oid, Column::fid_ver,  Column::mdt_index,
                                     Column::result,  Column::attempts, Column::first_start,
                                     Column::size};
  std::vector<OpenRequest> found;
  store::ItemSlice slice;
  for (const auto& [row, request] : state.open_requests()) {
    LHSM_TRY(manifest.read(row, 1, k_columns, slice));
    LHSM_TRY(state.overlay(row, slice));
    found.push_back({Row{row,
                         {slice.fid_seq[0], slice.fid_oid[0], slice.fid_ver[0]},
                         slice.mdt_index[0],
                         slice.attempts[0],
                         slice.first_start[0] != 0 ? slice.first_start[0] : request.time_ns,
                         slice.size[0],
                         k_no_group,
                         {}},
                     request.cookie});
  }
  return found;
}

/// A FID says another file elsewhere, or none. An import is what makes these files elsewhere.
Status check_file_system(const lustre::Client& client, const std::string& path) {
  LHSM_TRY_ASSIGN(const auto manifest, store::ManifestReader::open(path));
  const std::string& name = manifest.attributes().file_system;
  if (name.empty() || name == client.fsname()) return {};
  return failure(ErrorKind::invalid, EXDEV, fmt::format("do in {} a job of the file system {},", client.fsname(), name), path);
}

}  // namespace

struct JobRun::State {
  State(JobRunOptions wanted, lustre::Client& of) : options(std::move(wanted)), client(of) {}

  JobRunOptions options;
  lustre::Client& client;
  // Of what the lock's own thread touches: the job's coming and going. It lives longer than the lock does.
  std::mutex mutex;
  bool over = false;
  bool is_told_lost = false;
  std::optional<store::JobLock> lock;
  std::optional<store::OpenedJob> files;
  std::string source_name;
  Census census;
  std::unique_ptr<RowSource> source;
  std::optional<Job> job;
  std::vector<ActionItem> adopted;
  AskBroker broker;
  std::optional<Asker> asker;
  bool is_started = false;
  std::optional<store::JournalFolder> folder;

  ~State() {
    const std::lock_guard guard(mutex);
    over = true;
  }

  /// Somebody else has the manifest now: nothing more may be asked for or recorded.
  void lost() {
    {
      const std::lock_guard guard(mutex);
      if (!is_told_lost)
        log::error("{0}: the lock is not this run's any more: another run has taken it over, or somebody removed {0}.lock; this run "
                   "stops at once and records nothing more",
                   options.manifest);
      is_told_lost = true;
      if (!over && job) job->give_up({ErrorKind::busy, ESTALE, "keep the lock of the job", options.manifest});
    }
    if (options.lock_lost) options.lock_lost();
  }
};

JobRun::JobRun(std::unique_ptr<State> state) : m_state(std::move(state)) {}

JobRun::~JobRun() {
  if (m_state->job) m_state->job->stop("given up");
  m_state->broker.close();
}

Outcome<std::unique_ptr<JobRun>> JobRun::open(JobRunOptions options, lustre::Client& client, const Clock& clock,
                                              std::function<void()> on_end) {
  auto state = std::make_unique<State>(std::move(options), client);
  state->options.manifest = store::real_manifest(state->options.manifest);
  const std::string& path = state->options.manifest;
  LHSM_TRY_ASSIGN(state->lock, store::JobLock::acquire(path, {.heartbeat = state->options.lock_heartbeat,
                                                                .take_over_after = {},
                                                                .lost = [raw = state.get()] { raw->lost(); }}));
  if (!state->options.failed_list.empty()) LHSM_TRY(try_failed_list(state->options.failed_list, path));
  // Before it becomes another job, and before a retry finds out what it is.
  LHSM_TRY_ASSIGN(const store::ItemAction said, state->options.action != store::ItemAction::none ? state->options.action : action_of(path));
  if (said != store::ItemAction::import) LHSM_TRY(check_file_system(client, path));
  if (state->options.action != store::ItemAction::none) LHSM_TRY(set_action(*state->lock, state->options.action));
  if (state->options.takes_up_failed) LHSM_TRY(take_up_failed(*state->lock));
  LHSM_TRY_ASSIGN(state->files, store::open_job(*state->lock, [] {}));
  store::OpenedJob& files = *state->files;
  state->source_name = files.manifest.attributes().file_system;
  LHSM_TRY_ASSIGN(state->census, take_census(files.manifest, files.state));
  if (state->options.action == store::ItemAction::none) {
    state->options.action = action_of(state->census);
    if (state->options.action == store::ItemAction::none)
      return failure(ErrorKind::invalid, EINVAL, "find what is to be done with the items of", path);
  }
  if (const auto stop_at = state->options.job.deadline.stop_at)
    state->options.order.is_stopped = [stop_at, &clock, is_told = state->options.order.is_stopped] {
      return clock.now() >= *stop_at || (is_told && is_told());
    };
  state->options.job.action = state->options.asker.action = state->options.action;
  state->options.order.with_details = state->options.action == store::ItemAction::import;
  if (files.state.has_open_run())
    state->options.asker.search_first = state->options.job.maybe_asked_before = state->options.job.max_inflight;
  auto rows = rows_in_order(files.manifest, files.state, path, state->options.order);
  const bool is_stopped = !rows && rows.error().kind == ErrorKind::cancelled;
  if (!rows && !is_stopped) return Failure(rows.error());
  if (rows)
    state->source = std::move(*rows);
  else
    state->source = std::make_unique<ManifestRows>(files.manifest, files.state);  // of which nothing is taken
  {
    const std::lock_guard guard(state->mutex);
    state->job.emplace(*state->source, *files.journal, state->options.job, clock, std::move(on_end));
  }
  if (state->options.action == store::ItemAction::archive) state->job->go_on_with(files.state.take_partial_files());
  if (state->lock->is_lost()) state->lost();
  if (is_stopped && state->job->goes_on_after(std::chrono::milliseconds(0)))  // else the deadline has come, which it says itself
    state->job->stop("the run was told to stop");
  LHSM_TRY_ASSIGN(const auto requests, open_requests(files.manifest, files.state));
  if (!requests.empty()) {
    const Adopter adopter{state->options.action, state->options.asker.archives, state->options.serves};
    state->adopted = adopt_requests(*state->job, client, adopter, requests, state->options.order.is_stopped);
    log::info("{} requests of an earlier run: {} of its actions are taken over", requests.size(), state->adopted.size());
  }
  return std::unique_ptr<JobRun>(new JobRun(std::move(state)));
}

Job& JobRun::job() { return *m_state->job; }
store::ItemAction JobRun::action() const { return m_state->options.action; }
const std::string& JobRun::file_system() const { return m_state->source_name; }
const Census& JobRun::census() const { return m_state->census; }
run::Errands& JobRun::errands() { return m_state->broker; }
std::vector<ActionItem> JobRun::take_adopted() { return std::exchange(m_state->adopted, {}); }

void JobRun::start(const std::string& hosts, std::uint32_t ranks) {
  store::RunRecord run;
  run.user = m_state->options.user;
  run.command_line = m_state->options.command_line;
  run.hosts = hosts;
  run.ranks = ranks;
  run.begin_ns = wall_clock_ns();
  // An append that fails is told again by the job's own.
  m_state->is_started = true;
  if (!m_state->lock->is_lost()) std::ignore = m_state->files->journal->append(store::RunBegunRecord{run});
  // The job reads rows of the manifest while it is folded. Without it the journal waits for the run's end.
  if (store::is_hdf5_thread_safe())
    m_state->folder.emplace(*m_state->lock, *m_state->files->journal, m_state->files->state.rotated_base() != nullptr,
                            m_state->options.fold);
  if (is_done_by_ranks(action())) return;
  AskerOptions& asker = m_state->options.asker;
  if (m_state->options.ranks_ask) {
    const auto clients = static_cast<unsigned>(std::count(hosts.begin(), hosts.end(), ',')) + 1;
    asker.threads = std::min(clients * asker.threads, std::max(asker.threads, k_most_askers));
    asker.ask = [&broker = m_state->broker](const comm::AskFiles& files) { return broker.ask(files); };
  }
  m_state->asker.emplace(*m_state->job, m_state->client, asker);
}

Outcome<JobReport> JobRun::close(const std::function<int(const JobReport&)>& exit_code) {
  State& state = *m_state;
  state.job->stop("the run ends");
  state.broker.close();
  state.asker.reset();
  state.folder.reset();
  JobReport report;
  report.progress = state.job->progress();
  if (report.progress.broken) return Failure(*report.progress.broken);
  if (!state.lock->is_ours())
    return failure(ErrorKind::busy, ESTALE, "keep the lock of the job", state.options.manifest);
  const std::string& path = state.options.manifest;
  LHSM_TRY(state.files->journal->wait_durable(state.job->last_record()));
  {
    LHSM_TRY_ASSIGN(auto seen, store::look_at_job(path));
    LHSM_TRY_ASSIGN(report.census, take_census(seen.manifest, seen.state));
  }
  // Of a run that has not begun there is nothing to end. The record would end a run that was killed, of whose requests the next one
  // must know.
  if (state.is_started)
    LHSM_TRY(state.files->journal->append(store::RunEndedRecord{wall_clock_ns(), exit_code(report), report.progress.totals}));
  LHSM_TRY(state.files->journal->close());
  if (!state.options.failed_list.empty()) {
    LHSM_TRY_ASSIGN(auto seen, store::look_at_job(path));
    // Where this run finds the files, which another client's scan may have found elsewhere. What an import has failed with is named
    // as it is in the file system that it comes from.
    const bool is_import = action() == store::ItemAction::import;
    const std::string& mount_point = is_import ? seen.manifest.attributes().mount_point : state.client.mount_point();
    LHSM_TRY(write_failed(state.options.failed_list, mount_point, seen.manifest, seen.state));
  }
  state.source.reset();
  state.files.reset();
  // A walltime may end while a large manifest is written, and there will be another run.
  const bool is_put_off = state.options.job.deadline.stop_at && report.census.left() > 0 &&
                          report.census.items > state.options.fold_before_deadline;
  if (is_put_off) return report;
  if (const auto folded = store::fold(*state.lock); !folded)
    log::warning("the journal of {} is not folded: {}; it keeps all results, and is folded by the next run", path,
                 folded.error().describe());
  return report;
}

}  // namespace lhsm::bulk
