// SPDX-License-Identifier: LGPL-2.1-or-later
#include "check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <thread>

#include "lhsmtool_mpi/base/signals.hpp"
#include "lhsmtool_mpi/check/worker.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/comm/loopback.hpp"
#include "lhsmtool_mpi/comm/mpi_session.hpp"
#include "surroundings.hpp"

namespace lhsm::cli {

namespace {

using Abort = std::function<void(int code)>;

constexpr std::chrono::seconds k_removal_timeout{5};

/// Be a rank; a failure ends all of them.
void work(comm::Channel& channel, const check::WorkerOptions& options, const Abort& abort) {
  try {
    check::run_worker(channel, options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "lhsmtool_mpi: {}: {}\n", options.host, error.what());
    abort(k_run_failed);
  }
}

int exit_code(const check::Report& report) { return report.worst() == check::CheckVerdict::fail ? k_some_failed : k_all_done; }

void print(const CheckOptions& options, const check::Dispatcher& dispatcher, int ranks) {
  const std::string text =
      options.is_json ? check_json(dispatcher.report(), dispatcher.links(), ranks) : check_text(dispatcher.report(), ranks);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (std::fflush(stdout) != 0) throw Fatal(errno_error("write", "the result").value());
}

/// Remove a file, unless that hangs, too.
void remove_in_time(const std::string& path) {
  // Shared, since the thread may outlive this.
  const auto done = std::make_shared<std::promise<void>>();
  std::thread([done, path] {
    ::unlink(path.c_str());
    done->set_value();
  }).detach();
  done->get_future().wait_for(k_removal_timeout);
}

/// Rank 0: the dispatcher here, its own worker in a thread.
int dispatch(const CheckOptions& options, comm::Channel& channel, comm::Channel& local_worker, int ranks,
             const std::vector<check::Link>& links, const check::WorkerOptions& worker_options, SignalThread& signals, const Abort& abort) {
  const std::jthread worker([&] { work(local_worker, worker_options, abort); });
  check::Dispatcher dispatcher(channel, ranks, {worker_options.build, options.plan, options.slots, !options.reads_only, options.patience});
  std::atomic<int> stop_signal = 0;
  signals.deliver_to([&](int number) {
    if (stop_signal.exchange(number) != 0) std::_Exit(number == SIGINT ? k_interrupted : k_work_left);
    dispatcher.stop();
  });
  std::string failed;
  bool is_complete = false;
  try {
    is_complete = dispatcher.run();
    if (is_complete) dispatcher.add_links(links);
  } catch (const std::exception& error) {
    failed = error.what();
  }
  if (is_complete) print(options, dispatcher, ranks);
  // Those that hang in a file system do not go home.
  if (dispatcher.has_silent_ranks()) {
    if (!dispatcher.probe().empty()) remove_in_time(options.archive_root + '/' + dispatcher.probe());
    abort(exit_code(dispatcher.report()));
  }
  if (!dispatcher.dismiss()) {
    fmt::print(stderr, "lhsmtool_mpi: {}\n", failed.empty() ? "a rank does not answer" : failed);
    abort(k_run_failed);
  }
  if (!failed.empty()) throw Fatal(failed);
  signals.deliver_to({});
  if (!is_complete) return stop_signal == SIGINT ? k_interrupted : k_work_left;
  return exit_code(dispatcher.report());
}

}  // namespace

int run_check(const CheckOptions& options) {
  SignalThread signals;  // before MPI starts its threads
  const check::WorkerOptions worker_options{build_identity(),     host_name(),        options.mount,
                                            options.archive_root, options.reads_only, check::real_senses()};
  if (!comm::started_by_launcher()) {
    log::set_up(worker_options.host, 0, log::Level::warning);
    comm::LoopbackHub hub(1);
    return dispatch(options, hub, hub.worker(0), 1, {}, worker_options, signals, [](int code) { std::_Exit(code); });
  }
  comm::MpiSession session;
  log::set_up(worker_options.host, session.rank(), log::Level::warning);
  const Abort abort = [&session](int code) { session.abort(code); };
  std::vector<check::Link> links;
  for (const auto& link : session.measure_links()) links.push_back({link.rank, {}, link.latency_us, link.mib_per_s});
  int code = k_all_done;
  std::string failed;
  if (session.rank() == 0) {
    auto [channel, local_worker] = session.dispatcher_channel();
    try {
      code = dispatch(options, *channel, *local_worker, session.size(), links, worker_options, signals, abort);
    } catch (const Fatal& error) {
      failed = error.what();
    }
  } else {
    // Rank 0 decides when to stop; the signals that a launcher sends to every rank stay blocked here.
    const auto channel = session.worker_channel();
    work(*channel, worker_options, abort);
  }
  session.finalize();
  if (!failed.empty()) throw Fatal(failed);
  return code;
}

}  // namespace lhsm::cli
