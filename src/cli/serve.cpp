// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/serve.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numeric>
#include <set>
#include <thread>

#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/base/signals.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/cli/control_file.hpp"
#include "lhsmtool_mpi/comm/event_channel.hpp"
#include "lhsmtool_mpi/report/progress.hpp"
#include "lhsmtool_mpi/report/state_files.hpp"
#include "lhsmtool_mpi/report/watched_client.hpp"
#include "lhsmtool_mpi/run/dispatcher.hpp"
#include "lhsmtool_mpi/run/worker.hpp"
#include "process.hpp"
#include "run_files.hpp"
#include "surroundings.hpp"

namespace lhsm::cli {

namespace {

/// What a rank needs to work: the mount and the archive.
struct Doors {
  std::unique_ptr<lustre::Client> client;
  std::unique_ptr<archive::Backend> backend;
  archive::Access access = archive::Access::read_write;
};

Outcome<Doors> open_doors(const ServeOptions& options) {
  Doors doors;
  LHSM_TRY_ASSIGN(doors.client, lustre::open_client(options.mount_point));
  LHSM_TRY_ASSIGN(doors.backend, archive::open_posix_backend(options.archive));
  LHSM_TRY_ASSIGN(doors.access, doors.backend->check());
  if (options.writes_archive && doors.access == archive::Access::read_only)
    return failure(ErrorKind::denied, EROFS, "write to the archive", options.archive.root);
  return doors;
}

/// Open them on all ranks. What is archived into an empty directory, where the archive is not mounted, would be lost.
Outcome<Doors> open_same_doors(const ServeOptions& options, Process& process) {
  auto doors = process.is_first() ? open_doors(options) : Outcome<Doors>();
  if (process.ranks() == 1) return doors;
  const std::string mark = process.share(doors && doors->backend != nullptr ? doors->backend->mark().value_or("") : "");
  // Not before: a network file system may know only what it has seen when it was opened.
  if (!process.is_first()) doors = open_doors(options);
  if (!doors || mark.empty()) return doors;
  LHSM_TRY_ASSIGN(const bool is_same, doors->backend->knows(mark));
  if (!is_same) return errno_error("find what rank 0 has in the archive", options.archive.root, ENOENT);
  return doors;
}

void work(comm::Channel& channel, const run::WorkerIdentity& identity, const Outcome<Doors>& doors,
          const ServeOptions& options) {
  if (!doors) {
    run::run_unable_worker(channel, identity, doors.error());
    return;
  }
  comm::EventSender with_events(channel);
  report::WatchedActions::OnEvent on_event;
  if (!options.event_fifo.empty()) on_event = [&](comm::Event event) { with_events.add(std::move(event)); };
  report::WatchedActions client(*doors->client, options.item_level, std::move(on_event));
  run::AskHandler ask;
  if (options.purpose != nullptr) ask = options.purpose->ask_handler(*doors->client);
  run::run_worker(with_events, identity, client, *doors->backend, options.copy, std::move(ask));
}

int exit_code(const run::RunState& state, int stop_signal) {
  if (stop_signal == SIGINT) return k_interrupted;
  if (state.put_back > 0) return k_work_left;
  return state.failed > 0 ? k_some_failed : k_all_done;
}

constexpr int k_wait_for_nobody = 3;  // what run::StopRequest counts to

/// Let a stop have been asked for at least so often.
void raise_to(run::StopRequest& stop, int asked) {
  for (int so_far = stop.count; so_far < asked && !stop.count.compare_exchange_weak(so_far, asked);) {
  }
}

/// Passes on what it hears, and requests a stop when a file fails.
class StopOnFailure final : public run::Observer {
 public:
  StopOnFailure(run::Observer& inner, run::StopRequest* stop) : m_inner(inner), m_stop(stop) {}
  void update(const run::RunState& state, TimePoint now) override { m_inner.update(state, now); }
  void taken_in(const ActionItem& item) override { m_inner.taken_in(item); }
  void ended(const ActionItem& item, const run::ActionOutcome& outcome) override { m_inner.ended(item, outcome); }
  void failed(const ActionItem& item, const Error& error) override {
    m_inner.failed(item, error);
    // Called in the dispatcher's own thread: nobody is to be woken.
    if (m_stop != nullptr) raise_to(*m_stop, 1);
  }

 private:
  run::Observer& m_inner;
  run::StopRequest* m_stop;
};

/// Ends this process, and all other ranks, without waiting for anybody.
using Abort = std::function<void()>;

/// What a run that was killed left in the archive, and that no job goes on with. Not worth failing this one.
void clear_leftovers(const Doors& doors, const std::set<std::string>& wanted) {
  if (doors.access == archive::Access::read_only) return;
  const auto cleared = doors.backend->clear_leftovers(wanted);
  if (!cleared)
    log::warning("what a killed run left in the archive stays there: {}", cleared.error().describe());
  else if (*cleared > 0)
    log::info("{} temporary files of a killed run were removed from the archive", *cleared);
}

/// Rank 0: the dispatcher here, its own worker in a thread.
int dispatch(const ServeOptions& options, const Outcome<Doors>& doors, comm::Channel& bare_channel, comm::Channel& local_worker,
             int ranks, const run::WorkerIdentity& identity, SignalThread& signals, const Abort& abort) {
  RunFiles files;
  comm::EventReceiver channel(bare_channel, [&files](const comm::Event& event) { files.write(event); });

  std::vector<WorkerId> workers(static_cast<std::size_t>(ranks));
  std::iota(workers.begin(), workers.end(), 0);
  run::DispatcherOptions dispatcher_options;
  dispatcher_options.archive_ids = options.archive_ids;
  dispatcher_options.scheduler = options.scheduler;
  dispatcher_options.update_interval = options.copy.update_interval;
  dispatcher_options.drain_timeout = options.drain_timeout;
  dispatcher_options.registration.renew_interval = options.renew_interval;
  dispatcher_options.keep_alive = options.keep_alive;
  dispatcher_options.refuse_errno = options.dry_run ? EAGAIN : 0;
  std::atomic<std::uint64_t> bandwidth = options.bandwidth_bytes_per_second;
  dispatcher_options.bandwidth = &bandwidth;
  dispatcher_options.on_stuck = [&](const std::string& why) {
    say(stderr, "lhsmtool_mpi: {}\n", why);
    files.close();
    abort();
  };
  const RealClock clock;
  report::ProgressPrinter printer(stdout, progress_style(), options.progress);
  report::StateFiles state_files(printer, state_files_of(options));
  const auto control = watch_control_file(options.control_file, [&](const Controls& controls) {
    bandwidth = controls.bandwidth.value_or(options.bandwidth_bytes_per_second);
    if (options.purpose != nullptr) options.purpose->control(controls);
    channel.wake();
  });
  run::StopRequest stop;
  std::atomic<int> stop_signal = 0;
  std::atomic<bool> is_serving = false;
  std::atomic<bool> is_cut_off = false;
  // To prepare may take long, and so may the end; what is heard then counts, too.
  const HeardSignals heard_signals(signals, [&, heard = 0](int number) mutable {
    stop_signal = number;
    ++heard;
    const int asked = heard > 1 && options.last_signal_is_second ? k_wait_for_nobody : heard;
    // The first signal is no second request where the run had begun to stop by itself, before a walltime for instance.
    raise_to(stop, asked);
    channel.wake();
    // Else the dispatcher sees to it. What is durable stays so.
    if (asked < k_wait_for_nobody || is_serving) return;
    say(stderr, "lhsmtool_mpi: told to wait for nobody\n");
    abort();
  });
  std::string failed;
  try {
    if (options.purpose != nullptr && doors) options.purpose->prepare(*doors->client, dispatcher_options, stop);
  } catch (const Fatal& error) {
    failed = error.what();
  }
  const auto wanted_objects = [unfinished = dispatcher_options.unfinished] {
    return unfinished != nullptr ? unfinished->wanted_objects() : std::set<std::string>();
  };
  const bool are_objects_wanted = !wanted_objects().empty();
  if (doors && failed.empty()) clear_leftovers(*doors, wanted_objects());
  StopOnFailure stop_on_failure(state_files, options.abort_on_error ? &stop : nullptr);
  const auto purposeful = options.purpose != nullptr ? options.purpose->observe(stop_on_failure) : nullptr;
  run::Observer& observer = purposeful != nullptr ? *purposeful : stop_on_failure;
  comm::Likeness likeness = identity.likeness;
  if (doors) likeness.file_system = doors->client->fsname();
  run::Dispatcher dispatcher(channel, std::move(workers), likeness, dispatcher_options, clock, observer);

  // After all that could throw: a worker that nobody tells to stop would be waited for.
  const std::jthread worker([&] { work(local_worker, identity, doors, options); });
  try {
    if (!failed.empty()) throw Fatal(failed);
    const Status opened = files.open(options, stop);
    if (!opened && options.on_started) options.on_started(opened);
    if (!opened) throw Fatal(opened.error());
    if (dispatcher.greet(stop)) {
      if (doors->access == archive::Access::read_only)
        log::warning("the archive {} is mounted read-only: restores are served, all other actions will fail", options.archive.root);
      log::info("{} ranks of {} slots serve {} ({})", ranks, options.slots, options.mount_point, doors->client->fsname());
      report::WatchedRegistration client(*doors->client, options.item_level, [&](const auto& change) {
        if (change.registered && options.on_started) options.on_started(change.status);
        if (change.status) files.write(change, *doors->client);
      });
      if (options.purpose != nullptr) {
        options.purpose->begin(dispatcher, [&](Purpose::End end) {
          if (end == Purpose::End::at_once) is_cut_off = true;
          raise_to(stop, end == Purpose::End::at_once ? 2 : 1);
          channel.wake();
        });
      }
      is_serving = true;
      dispatcher.serve(client, stop);
    }
  } catch (const std::exception& error) {
    failed = error.what();
  }
  is_serving = false;
  try {
    if (!dispatcher.dismiss()) throw Fatal("a rank does not answer");
  } catch (const std::exception& error) {
    // The workers, our own among them, cannot be told to stop: there is no orderly end.
    say(stderr, "lhsmtool_mpi: {}\n", failed.empty() ? error.what() : failed);
    files.close();
    abort();
  }
  // What was wanted at first and is not any more: its file was not gone on with, or got its end in another way.
  // Where the run was cut off others may want them now.
  if (failed.empty() && are_objects_wanted && !is_cut_off) clear_leftovers(*doors, wanted_objects());
  const TimePoint end = clock.now();
  state_files.close(dispatcher.state(), end);
  const bool has_served = failed.empty();
  int code = exit_code(dispatcher.state(), stop_signal);
  printer.end();
  if (options.purpose != nullptr) {
    try {
      code = options.purpose->close(dispatcher.state(), stop_signal);
    } catch (const Fatal& error) {
      if (has_served) failed = error.what();
    }
  }
  if (has_served) printer.close(dispatcher.state(), end);  // what it was for comes first
  if (!failed.empty()) throw Fatal(failed);
  return code;
}

}  // namespace

int serve(const ServeOptions& options, Process& process) {
  const run::WorkerIdentity identity{{build_identity(), options.agreed}, process.host(), options.slots};
  const Outcome<Doors> doors = open_same_doors(options, process);
  if (process.is_first()) {
    auto [channel, local_worker] = process.dispatcher_channel();
    return dispatch(options, doors, *channel, *local_worker, process.ranks(), identity, process.signals(),
                    [&process] { process.abort(k_run_failed); });
  }
  // Rank 0 decides when to stop; the signals that a launcher sends to every rank stay blocked here.
  const auto channel = process.worker_channel();
  try {
    work(*channel, identity, doors, options);
  } catch (const std::exception& error) {
    process.fail(error.what());
  }
  return k_all_done;
}

int serve(const ServeOptions& options) {
  Process process(options.log);
  return process.run([&] { return serve(options, process); });
}

}  // namespace lhsm::cli
