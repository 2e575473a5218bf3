// SPDX-License-Identifier: LGPL-2.1-or-later
// A bulk job as what a run is for.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>

#include "job_command.hpp"
#include "job_options.hpp"
#include "job_report.hpp"
#include "job_state_files.hpp"
#include "lhsmtool_mpi/base/process_identity.hpp"
#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/base/signals.hpp"
#include "lhsmtool_mpi/bulk/ask_files.hpp"
#include "lhsmtool_mpi/bulk/job_manifest.hpp"
#include "lhsmtool_mpi/bulk/job_watcher.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "process.hpp"

namespace lhsm::cli {

namespace {

using bulk::JobReport;

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

class JobPurpose final : public Purpose {
 public:
  explicit JobPurpose(const bulk::JobRunOptions& options) : m_options(options), m_limits(options.job.limits) {}

  void prepare(lustre::Client& client, run::DispatcherOptions& options, const run::StopRequest& stop) override {
    m_options.order.is_stopped = [&stop] { return stop.count > 0; };
    m_options.lock_lost = [this] { ended(End::at_once); };
    m_options.ranks_ask = true;
    auto run = bulk::JobRun::open(m_options, client, m_clock, [this] { ended(End::in_order); });
    if (!run) throw Fatal(run.error());
    {
      const std::lock_guard lock(m_controls_mutex);
      m_run = std::move(*run);
      m_run->job().set_limits(m_limits);
    }
    options.adopted = m_run->take_adopted();
    options.unfinished = &m_run->job();
    options.errands = &m_run->errands();
    options.is_bulk = [this](const ActionItem& item) { return m_run->job().has(item); };
  }

  run::AskHandler ask_handler(lustre::Client& client) override {
    return [&client](const comm::AskFiles& files) { return bulk::ask_for_files(client, files); };
  }

  std::unique_ptr<run::Observer> observe(run::Observer& inner) override {
    if (m_run == nullptr) return nullptr;  // it could not be prepared
    return std::make_unique<bulk::JobWatcher>(inner, *m_run);
  }

  void begin(const run::Dispatcher& dispatcher, std::function<void(End)> end) override {
    {
      const std::lock_guard lock(m_mutex);
      m_end = std::move(end);
      if (m_ended) m_end(*m_ended);  // while the ranks were greeted
    }
    m_run->start(joined(dispatcher.hosts()), static_cast<std::uint32_t>(dispatcher.state().ranks));
  }

  void control(const Controls& controls) override {
    const std::lock_guard lock(m_controls_mutex);
    m_limits = limits_of(controls, m_options.job.limits);
    if (m_run != nullptr) m_run->job().set_limits(m_limits);
  }

  int close(const run::RunState&, int stop_signal) override {
    if (m_run == nullptr) return k_run_failed;
    {
      const std::lock_guard lock(m_mutex);
      m_end = {};
    }
    const auto report =
        m_run->close([stop_signal](const JobReport& so_far) { return exit_code_of(so_far, stop_signal); });
    if (!report) throw Fatal(report.error());
    say(stdout, "{}", summary(*report, m_run->action(), m_options.manifest));
    return exit_code_of(*report, stop_signal);
  }

 private:
  void ended(End how) {
    const std::lock_guard lock(m_mutex);
    if (m_ended != End::at_once) m_ended = how;
    if (m_end) m_end(how);
  }

  bulk::JobRunOptions m_options;
  RealClock m_clock;
  std::mutex m_mutex;
  std::function<void(End)> m_end;
  std::optional<End> m_ended;
  std::mutex m_controls_mutex;  // of m_limits, and of the coming of m_run
  bulk::JobLimits m_limits;
  std::unique_ptr<bulk::JobRun> m_run;
};

/// A job that only asks.
int run_unserved(const JobCommandOptions& options, Process& process) {
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false;
  int stop_signal = 0;
  const auto finish = [&](int signal) {
    const std::lock_guard lock(mutex);
    over = true;
    if (stop_signal == 0) stop_signal = signal;
    changed.notify_all();
  };
  std::atomic<bool> is_stopped = false;
  const HeardSignals heard(process.signals(), [&, signals = 0](int number) mutable {
    // A call that hangs in the file system cannot be ended in good order.
    if (++signals > 2) process.abort(number == SIGINT ? k_interrupted : k_work_left);
    is_stopped = true;
    finish(number);
  });
  auto client = lustre::open_client(options.serve.mount_point);
  if (!client) throw Fatal(client.error());
  const RealClock clock;
  bulk::JobRunOptions run_options = options.run;
  run_options.order.is_stopped = [&is_stopped] { return is_stopped.load(); };
  run_options.serves = false;
  auto run = bulk::JobRun::open(run_options, **client, clock, [&finish] { finish(0); });
  if (!run) throw Fatal(run.error());
  const auto control = watch_control_file(options.serve.control_file, [&](const Controls& controls) {
    (*run)->job().set_limits(limits_of(controls, options.run.job.limits));
  });
  (*run)->start(host_name(), 1);
  JobStateFiles files(options.serve, options.serve.command, **run, 1);
  {
    std::unique_lock lock(mutex);
    const bool quiet = options.serve.progress == std::chrono::seconds(0);
    TimePoint next = clock.now() + options.serve.progress;
    while (!changed.wait_for(lock, std::chrono::seconds(1), [&over] { return over; })) {
      lock.unlock();
      files.update();
      if (!quiet && clock.now() >= next) {
        next = clock.now() + options.serve.progress;
        print_progress(**run);
      }
      lock.lock();
    }
  }
  files.close();
  const auto report = (*run)->close([&](const JobReport& so_far) { return exit_code_of(so_far, stop_signal); });
  if (!report) throw Fatal(report.error());
  say(stdout, "{}", summary(*report, (*run)->action(), options.run.manifest));
  return exit_code_of(*report, stop_signal);
}

}  // namespace

int run_job(const JobCommandOptions& options, Process& process) {
  if (bulk::is_done_by_ranks(options.run.action)) return run_rank_job(options, process);
  if (options.submit_only) {
    if (!process.is_first()) return k_all_done;  // has nothing to do
    JobCommandOptions unserved = options;
    // Nothing is ever heard: looking is all there is, and says nothing of how much runs at once.
    constexpr std::chrono::milliseconds k_look_after{2'000};
    bulk::AskerOptions& asker = unserved.run.asker;
    asker.search_at_look = std::max(1U, static_cast<unsigned>(asker.look_after / k_look_after));
    asker.look_after = std::min(asker.look_after, k_look_after);
    asker.look_threads = asker.threads;
    unserved.run.job.least_inflight = unserved.run.job.max_inflight;
    return run_unserved(unserved, process);
  }
  JobPurpose purpose(options.run);
  ServeOptions serving = options.serve;
  serving.purpose = &purpose;
  // A manifest that cannot be read is told of when the job begins.
  serving.archive.owner = process.share(process.is_first() ? bulk::owner_of(options.run.manifest).value_or("") : "");
  return serve(serving, process);
}

}  // namespace lhsm::cli
