// SPDX-License-Identifier: LGPL-2.1-or-later
// A job that releases, on all ranks.
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "job_command.hpp"
#include "job_options.hpp"
#include "job_report.hpp"
#include "job_state_files.hpp"
#include "lhsmtool_mpi/bulk/release.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/run/worker.hpp"
#include "process.hpp"

namespace lhsm::cli {

namespace {

/// Be a rank; a failure ends all of them.
void work(comm::Channel& channel, const JobCommandOptions& options, Process& process) {
  try {
    const auto client = lustre::open_client(options.serve.mount_point);
    const comm::Likeness likeness{build_identity(), options.serve.agreed};
    if (client)
      bulk::run_release_worker(channel, likeness, process.host(), **client, options.run.asker.threads);
    else
      run::run_unable_worker(channel, {likeness, process.host(), 0}, client.error());
  } catch (const std::exception& error) {
    process.fail(error.what());
  }
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

/// What is there while a job that releases runs.
struct Running {
  const JobCommandOptions& options;
  Process& process;
  comm::Channel& channel;
  bulk::ReleaseDispatcher dispatcher;
  std::atomic<int> stop_signal = 0;
  std::atomic<bool> is_stopped = false;
  std::unique_ptr<lustre::Client> client;
  RealClock clock;
  std::unique_ptr<bulk::JobRun> run;

  /// Open the job, and have it done. Where a stop comes first there is no `run` then.
  void go() {
    auto opened = lustre::open_client(options.serve.mount_point);
    if (!opened) throw Fatal(opened.error());
    client = std::move(*opened);
    if (!dispatcher.greet(is_stopped, client->fsname())) return;
    bulk::JobRunOptions run_options = options.run;
    run_options.order.is_stopped = [this] { return is_stopped.load(); };
    run_options.job.least_inflight = bulk::k_files_of_a_rank * static_cast<std::size_t>(process.ranks());
    auto made = bulk::JobRun::open(run_options, *client, clock, [this] { channel.wake(); });
    if (!made) throw Fatal(made.error());
    run = std::move(*made);
    const auto control = watch_control_file(options.serve.control_file, [this](const Controls& controls) {
      run->job().set_limits(limits_of(controls, options.run.job.limits));
    });
    JobStateFiles files(options.serve, "release", *run, static_cast<std::uint64_t>(process.ranks()));
    run->start(joined(dispatcher.hosts()), static_cast<std::uint32_t>(process.ranks()));
    TimePoint next = clock.now() + options.serve.progress;
    dispatcher.run(run->job(), [&] {
      if (is_stopped) run->job().stop("the run was told to stop");
      files.update();
      if (options.serve.progress == std::chrono::seconds(0) || clock.now() < next) return;
      next = clock.now() + options.serve.progress;
      print_progress(*run);
    });
    files.close();
  }
};

int dispatch(const JobCommandOptions& options, Process& process) {
  auto [channel, local_worker] = process.dispatcher_channel();
  Running running{options, process, *channel, {*channel, process.ranks(), {build_identity(), options.serve.agreed}}, 0, false, {}, {}, {}};
  const std::jthread worker([&, local = local_worker] { work(*local, options, process); });
  process.signals().deliver_to([&running](int number) {
    // A call that hangs in the file system cannot be ended in good order.
    if (running.stop_signal.exchange(number) != 0) running.process.abort(number == SIGINT ? k_interrupted : k_work_left);
    running.is_stopped = true;
    running.channel.wake();
  });
  std::string failed;
  try {
    running.go();
  } catch (const std::exception& error) {
    failed = error.what();
  }
  const auto dismiss = [&running] { return running.dispatcher.dismiss(running.run != nullptr ? &running.run->job() : nullptr); };
  process.send_home(dismiss, failed);
  process.signals().hold();
  if (!failed.empty()) throw Fatal(failed);
  const int stop_signal = running.stop_signal;
  if (running.run == nullptr) return stop_signal == SIGINT ? k_interrupted : k_work_left;
  const auto report =
      running.run->close([&](const bulk::JobReport& so_far) { return exit_code_of(so_far, stop_signal); });
  if (!report) throw Fatal(report.error());
  fmt::print("{}", summary(*report, running.run->action(), options.run.manifest));
  return exit_code_of(*report, stop_signal);
}

}  // namespace

int run_release(const JobCommandOptions& options, Process& process) {
  if (process.is_first()) return dispatch(options, process);
  const auto channel = process.worker_channel();
  work(*channel, options, process);
  return k_all_done;
}

}  // namespace lhsm::cli
