// SPDX-License-Identifier: LGPL-2.1-or-later
#include "check.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <thread>

#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/base/signals.hpp"
#include "lhsmtool_mpi/check/worker.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "process.hpp"

namespace lhsm::cli {

namespace {

constexpr std::chrono::seconds k_removal_timeout{5};

/// Be a rank; a failure ends all of them.
void work(comm::Channel& channel, const check::WorkerOptions& options, Process& process) {
  try {
    check::run_worker(channel, options);
  } catch (const std::exception& error) {
    process.fail(error.what());
  }
}

int exit_code(const check::Report& report) { return report.worst() == check::CheckVerdict::fail ? k_some_failed : k_all_done; }

void print(const CheckOptions& options, const check::Dispatcher& dispatcher, int ranks) {
  const std::string text =
      options.is_json ? check_json(dispatcher.report(), dispatcher.links(), ranks) : check_text(dispatcher.report(), ranks);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) throw Fatal(errno_error("write", "the result").value());
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
int dispatch(const CheckOptions& options, const std::vector<check::Link>& links, const check::WorkerOptions& worker_options,
             Process& process) {
  auto [channel, local_worker] = process.dispatcher_channel();
  const int ranks = process.ranks();
  const std::jthread worker([&, local = local_worker] { work(*local, worker_options, process); });
  check::Dispatcher dispatcher(*channel, ranks, {worker_options.build, options.plan, options.slots, !options.reads_only, options.patience});
  std::atomic<int> stop_signal = 0;
  const HeardSignals heard(process.signals(), [&](int number) {
    if (stop_signal.exchange(number) != 0) process.abort(number == SIGINT ? k_interrupted : k_work_left);
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
  try {
    if (is_complete) print(options, dispatcher, ranks);
  } catch (const Fatal& error) {
    failed = error.what();
  }
  // Those that hang in a file system do not go home.
  if (dispatcher.has_silent_ranks()) {
    if (!dispatcher.probe().empty()) remove_in_time(options.archive_root + '/' + dispatcher.probe());
    process.abort(exit_code(dispatcher.report()));
  }
  process.send_home([&dispatcher] { return dispatcher.dismiss(); }, failed);
  if (!failed.empty()) throw Fatal(failed);
  if (!is_complete) return stop_signal == SIGINT ? k_interrupted : k_work_left;
  return exit_code(dispatcher.report());
}

}  // namespace

int run_check(const CheckOptions& options) {
  Process process(log::Level::warning);
  std::vector<check::Link> links;
  try {
    for (const auto& link : process.measure_links()) links.push_back({link.rank, {}, link.latency_us, link.mib_per_s});
  } catch (const Fatal& error) {
    // Where a rank does not answer, none can end MPI in good order.
    say(stderr, "lhsmtool_mpi: {}\n", error.what());
    process.abort(k_run_failed);
  }
  return process.run([&]() -> int {
    const check::WorkerOptions worker_options{build_identity(),     process.host(),     options.mount,
                                              options.archive_root, options.reads_only, check::real_senses()};
    if (process.is_first()) return dispatch(options, links, worker_options, process);
    // Rank 0 decides when to stop; the signals that a launcher sends to every rank stay blocked here.
    const auto channel = process.worker_channel();
    work(*channel, worker_options, process);
    return k_all_done;
  });
}

}  // namespace lhsm::cli
