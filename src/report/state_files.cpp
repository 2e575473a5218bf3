// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/state_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <tuple>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/process_identity.hpp"
#include "lhsmtool_mpi/base/replacement_file.hpp"
#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "lhsmtool_mpi/report/metrics.hpp"

namespace lhsm::report {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_interval = 1s;
constexpr auto k_patience = 10s;

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  return out;
}

}  // namespace

Status replace_file(const std::string& path, const std::string& text) {
  LHSM_TRY_ASSIGN(ReplacementFile file, ReplacementFile::create(path));
  LHSM_TRY(file.write(text));
  return file.finish(ReplacementFile::Durability::not_synced);
}

/// The thread that writes, and what it has in common with the run. It may outlive the run, where the file system hangs.
struct StateFiles::Writer {
  struct Snapshot {
    RunStatus status;
    Tally tally;
  };

  explicit Writer(const Options& options) : status_file(options.status_file), metrics_file(options.metrics_file) {}

  void post(Snapshot snapshot) {
    auto next_one = std::make_unique<Snapshot>(std::move(snapshot));
    const std::lock_guard lock(mutex);
    next = std::move(next_one);
    changed.notify_all();
  }

  /// Write until there is nothing more to come.
  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return next != nullptr || is_closed; });
      if (next == nullptr) break;
      const auto snapshot = std::move(next);
      lock.unlock();
      if (!status_file.empty()) write(status_file, to_json(snapshot->status), status_warned);
      if (!metrics_file.empty()) write(metrics_file, metrics_text(snapshot->status, snapshot->tally), metrics_warned);
      lock.lock();
    }
    is_over = true;
    changed.notify_all();
  }

  static void write(const std::string& path, const std::string& text, bool& warned) {
    const Status written = replace_file(path, text);
    if (!written && !warned) log::warning("{} is not kept up to date: {}", path, written.error().describe());
    warned = !written;
  }

  /// Return whether all is written.
  bool close() {
    std::unique_lock lock(mutex);
    const auto patience = is_closed ? 0s : k_patience;
    is_closed = true;
    changed.notify_all();
    return changed.wait_for(lock, patience, [this] { return is_over; });
  }

  const std::string status_file;
  const std::string metrics_file;
  bool status_warned = false;  // the thread's
  bool metrics_warned = false;
  std::mutex mutex;
  std::condition_variable changed;
  std::unique_ptr<Snapshot> next;  // the latest one that is to be written
  bool is_closed = false;
  bool is_over = false;
  std::thread thread;
};

StateFiles::StateFiles(run::Observer& inner, Options options)
    : m_inner(inner),
      m_options(std::move(options)),
      m_process(ProcessIdentity::self().text()),
      m_host(host_name()),
      m_started_ms(wall_clock_ns() / 1'000'000) {
  if (m_options.status_file.empty() && m_options.metrics_file.empty()) return;
  m_writer = std::make_shared<Writer>(m_options);
  m_writer->thread = std::thread([writer = m_writer] { writer->run(); });
  // What an earlier run left must not be taken for this one while it prepares.
  write({}, std::chrono::steady_clock::now(), "starting");
}

StateFiles::~StateFiles() {
  if (m_writer == nullptr) return;
  if (m_writer->close()) {
    m_writer->thread.join();
  } else {
    log::warning("the file system of {} hangs: it is not kept up to date",
                 m_options.status_file.empty() ? m_options.metrics_file : m_options.status_file);
    m_writer->thread.detach();
  }
}

void StateFiles::update(const run::RunState& state, TimePoint now) {
  m_inner.update(state, now);
  if (state.job) m_job = state.job;
  if (!is_due(now)) return;
  m_next = now + k_interval;
  write(state, now, state.draining ? "stopping" : "running");
}

void StateFiles::ended(const ActionItem& item, const run::ActionOutcome& outcome) {
  m_tally.ended(item, outcome);
  m_inner.ended(item, outcome);
}

void StateFiles::close(const run::RunState& state, TimePoint now) {
  if (m_writer == nullptr) return;
  write(state, now, "ended");
  static_cast<void>(m_writer->close());  // the destructor says so
}

void StateFiles::write(const run::RunState& state, TimePoint now, std::string how) {
  m_writer->post({make(state, now, std::move(how)), m_tally});
}

RunStatus StateFiles::make(const run::RunState& state, TimePoint now, std::string how) {
  RunStatus status;
  status.state = std::move(how);
  status.command = m_options.command;
  status.mount_point = m_options.mount_point;
  status.version = m_options.version;
  status.host = m_host;
  status.process = m_process;
  status.started_ms = m_started_ms;
  status.updated_ms = wall_clock_ns() / 1'000'000;
  const std::array done{state.archived, state.restored, state.removed};
  for (std::size_t i = 0; i < Tally::k_kinds.size(); ++i) {
    const KindTally& kind = m_tally.kinds.at(i);
    status.kinds.push_back({lower(to_string(Tally::k_kinds.at(i))), 0, 0, done.at(i), kind.failed, kind.cancelled, kind.put_back});
  }
  // What no copytool does: there are no actions of it.
  if (m_options.command == "release") status.kinds.push_back({"release", 0, 0, state.released, 0, 0, 0});
  if (m_options.command == "import") status.kinds.push_back({"import", 0, 0, state.imported, 0, 0, 0});
  // Without a dispatcher nobody tells of single files.
  if (state.source == nullptr)
    for (KindStatus& kind : status.kinds)
      if (kind.name == m_options.command)
        std::tie(kind.running, kind.failed, kind.cancelled) = std::tuple(state.running, state.failed, state.cancelled);
  status.rank_count = state.ranks;
  status.unverified = state.unverified;
  status.file_bytes = state.file_bytes;
  status.bytes_copied = state.bytes_copied;
  // To prepare may take long, and is no time in which files are done.
  if (status.state != "starting") m_rate.sample(now, state.final(), state.bytes_copied);
  status.bytes_per_second = m_rate.bytes_per_second();
  status.files_per_second = m_rate.files_per_second();
  if (m_job) {
    JobStatus& job = status.job.emplace(JobStatus{m_job->items, m_job->final, m_job->unsuccessful, m_job->lacks_space, m_job->bytes,
                                                  m_job->final_bytes, {}});
    if (status.state != "ended" && !job.lacks_space) job.seconds_left = seconds_left(*m_job, m_rate.elapsed());
  }
  for (const auto& [what, count] : m_tally.errors) status.errors.push_back({what, count});
  std::stable_sort(status.errors.begin(), status.errors.end(),
                   [](const ErrorStatus& a, const ErrorStatus& b) { return a.count > b.count; });
  if (state.source != nullptr) add_detail(status, state.source->detail(now), now);
  return status;
}

void StateFiles::add_detail(RunStatus& status, const run::RunDetail& detail, TimePoint now) {
  plan::QueueCounts pending = detail.pending;
  plan::QueueCounts running = detail.running;
  for (std::size_t i = 0; i < Tally::k_kinds.size(); ++i) {
    status.kinds.at(i).pending = pending.of(Tally::k_kinds.at(i));
    status.kinds.at(i).running = running.of(Tally::k_kinds.at(i));
  }
  using Seconds = std::chrono::duration<double>;
  status.user_restores = detail.user_restores;
  if (detail.oldest_user_restore) status.oldest_user_restore = Seconds(*detail.oldest_user_restore).count();
  status.bandwidth_limit = detail.bandwidth_limit;
  m_rank_rates.resize(detail.ranks.size());
  for (std::size_t i = 0; i < detail.ranks.size(); ++i) {
    const run::RankState& rank = detail.ranks[i];
    RateEstimator& rate = m_rank_rates[i];
    rate.sample(now, rank.done + rank.failed, rank.bytes_copied);
    status.ranks.push_back({static_cast<std::int64_t>(i), rank.host, rank.slots, rank.running, rank.done, rank.failed,
                            rank.bytes_copied, rate.bytes_per_second(), rate.files_per_second()});
  }
  for (const run::RunningFile& file : detail.files)
    status.files.push_back({lower(to_string(file.kind)), file.fid.bracketed(), file.worker, file.size, file.done,
                            Seconds(file.age).count(), file.is_striped, file.extents_done, file.extents_running});
}

}  // namespace lhsm::report
