// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/worker.hpp"

#include <tuple>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/run/file_action.hpp"
#include "lhsmtool_mpi/run/progress_reporter.hpp"
#include "lhsmtool_mpi/run/slot_pool.hpp"
#include "copy_list.hpp"
#include "file_askers.hpp"
#include "outbox.hpp"
#include "owned_actions.hpp"
#include "refusal.hpp"
#include "stop_flags.hpp"
#include "worker_hello.hpp"

namespace lhsm::run {

namespace {

using namespace std::chrono_literals;

// Results of small files are gathered for so long while slots are busy; a slot that runs dry sends at once.
// A worker has work for 20 ms ahead, so that nobody waits for them.
constexpr Duration k_gather = 5ms;
constexpr Duration k_tick = 500ms;

class Worker {
 public:
  Worker(comm::Channel& channel, const WorkerIdentity& identity, lustre::Client& client, archive::Backend& backend,
         const CopyOptions& options, AskHandler ask)
      : m_channel(channel),
        m_environment{client, backend, options, m_bytes_moved, m_estranged, m_pulse, m_budget, nullptr},
        m_outbox([this] { m_channel.wake(); }),
        m_reporter(options.update_interval,
                   [this](JobId job, const Error& error) { m_outbox.post(comm::Trouble{job, error}); }),
        m_ender(k_rpc_threads, k_no_buffer, [this] { m_channel.wake(); }),
        m_askers(std::move(ask), m_outbox),
        m_slots(identity.slots, options.buffer_bytes, [this] { m_channel.wake(); }) {}

  ~Worker() { m_pulse.pause(false); }  // else the slots would never end
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run() {
    bool stop = false;
    TimePoint next_tick = std::chrono::steady_clock::now() + k_tick;
    SilenceWatch silence(std::chrono::steady_clock::now());
    while (!stop) {
      const bool has_work = !m_slots.idle() || !m_ender.idle();
      const auto envelope = m_channel.receive(!has_work && m_outbox.empty() ? k_tick : k_gather);
      const TimePoint now = std::chrono::steady_clock::now();
      if (envelope) {
        silence.heard(now);
        pause(false);
        stop = !std::visit([this](const auto& message) { return handle(message); }, envelope->message);
      } else {
        pause(silence.silent(now, has_work));
      }
      send_posted();
      if (now >= next_tick) {
        tick();
        log::pass(now);
        next_tick = now + k_tick;
      }
    }
  }

 private:
  // Messages. Each returns whether to go on.

  bool handle(const comm::Jobs& message) {
    std::vector<SlotPool::Task> tasks;
    tasks.reserve(message.jobs.size());
    for (const comm::Job& job : message.jobs) {
      if (job.reject_errno != 0) {
        end_unbegun(job, refusal(job));
        continue;
      }
      m_stops.forget(job.id);  // that of an attempt before
      auto stop = m_stops.of(job.id);
      tasks.push_back({job.id, true, [this, job, stop](copy::Engine& engine) { run_whole(job, engine, *stop); },
                       [this, job](const Error& error) { end_unbegun(job, error); }});
    }
    m_slots.add(std::move(tasks));
    return true;
  }

  bool handle(const comm::Begin& message) {
    m_stops.forget(message.job.id);  // that of an attempt before
    m_slots.add({message.job.id, false, [this, message](copy::Engine&) { begin_owned(message); },
                 [this, job = message.job](const Error& error) { end_unbegun(job, error); }});
    return true;
  }

  bool handle(const comm::CopyExtent& message) {
    auto stop = m_stops.of(message.id);
    m_slots.add({message.id, false,
                 [this, message, stop](copy::Engine& engine) {
                   const auto copied = copy_extent(m_environment, engine, message.kind, message.fid, message.dfid,
                                                   message.token, message.extent, message.file_size, *stop);
                   m_outbox.post(
                       copied ? comm::ExtentDone{message.id, message.extent, copied->bytes_moved, copied->leaves, {}}
                              : comm::ExtentDone{message.id, message.extent, 0, {}, copied.error()});
                 },
                 [this, message](const Error& error) {
                   m_outbox.post(comm::ExtentDone{message.id, message.extent, 0, {}, error});
                 }});
    return true;
  }

  bool handle(const comm::Covered& message) {
    m_reporter.covered(message.id, message.extents);
    return true;
  }

  bool handle(const comm::Finish& message) {
    // To end a file with an error needs no slot: there is nothing more to sync.
    (message.error ? m_ender : m_slots).add({message.id, false, [this, message](copy::Engine&) { finish_owned(message); }, {}});
    return true;
  }

  bool handle(const comm::Cancel& message) {
    m_stops.raise(message.id, message.error);
    // What no slot has begun must not wait for one.
    for (const SlotPool::Task& task : m_slots.take_out(message.id)) task.abandon(message.error);
    m_budget.recheck();
    return true;
  }

  bool handle(const comm::AskFiles& message) {
    m_askers.add(message);
    return true;
  }

  bool handle(const comm::Recall& message) {
    m_channel.send(0, comm::Returned{m_slots.take_back(message.most)});
    return true;
  }

  bool handle(const comm::Heartbeat&) {
    tick(true);  // also by a rank without work, so that it is seen
    return true;
  }

  bool handle(const comm::BandwidthLimit& message) {
    m_budget.set_limit(message.bytes_per_second);
    return true;
  }

  bool handle(const comm::BandwidthGrant& message) {
    m_budget.grant(message.bytes);
    return true;
  }

  bool handle(const comm::Stop&) {
    m_budget.close();
    send_posted();
    tick();
    m_channel.send(0, comm::Bye{});
    return false;
  }

  template <class Other>
  bool handle(const Other&) {
    throw Fatal("a worker received a message that only a dispatcher does");
  }

  // What slots carry out.

  void run_whole(const comm::Job& job, copy::Engine& engine, const StopFlag& stop) {
    const TimePoint begun = std::chrono::steady_clock::now();
    comm::Result result;
    result.id = job.id;
    CopyList::Entry entry(m_copies, job.id, begun);
    std::atomic<bool> is_untaken = false;
    Environment environment = m_environment.of_action(is_untaken, &entry.done());
    const Status status = carry_out(environment, job.item, engine, stop, entry, result);
    if (!status) set_failed(result, status.error(), is_untaken);
    m_outbox.finished(std::move(result), begun);
  }

  /// End an action that no slot has begun, in a thread of its own: the slots may be busy for long.
  void end_unbegun(const comm::Job& job, const Error& error) {
    m_ender.add({job.id, false,
                 [this, job, error](copy::Engine&) {
                   const TimePoint begun = std::chrono::steady_clock::now();
                   std::atomic<bool> is_untaken = false;
                   Environment environment = m_environment.of_action(is_untaken);
                   std::ignore = refuse_with(environment, job.item, error);
                   m_outbox.failed(job.id, error, is_untaken, begun);
                 },
                 {}});
  }

  Status carry_out(Environment& environment, const ActionItem& item, copy::Engine& engine, const StopFlag& stop,
                   CopyList::Entry& entry, comm::Result& result) {
    m_pulse.wait();
    if (stop.raised()) return refuse_with(environment, item, stop.error());
    if (item.kind == ActionKind::remove) return remove_object(environment, item);

    auto opened = FileAction::open(environment, item);
    if (!opened) return refuse_with(environment, item, opened.error());
    FileAction& action = **opened;
    result.size = action.size();
    entry.set_size(result.size);
    if (result.size >= m_environment.options.stripe_threshold) {
      result.disposition = comm::Disposition::large;
      return {};
    }
    if (const Status begun = action.begin(std::nullopt); !begun) return fail_with(action, begun.error());
    result.size = action.size();  // an archive's is of its begin
    const auto copied = action.copy(engine, stop);
    if (!copied) return fail_with(action, copied.error());
    result.bytes_moved = copied->bytes_moved;
    return finish(action, copied->digest, result);
  }

  Status finish(FileAction& action, const copy::ObjectDigest& digest, comm::Result& result) {
    m_pulse.wait();
    LHSM_TRY_ASSIGN(const Verified verified, action.finish(digest));
    result.is_verified = verified == Verified::yes;
    result.digest.assign(digest.value.begin(), digest.value.end());
    return {};
  }

  Status refuse_with(Environment& environment, const ActionItem& item, const Error& error) {
    m_pulse.wait();
    if (const Status ended = refuse(environment, item, error); !ended)
      log::warning("{}: could not be ended as failed: {}", item.describe(), ended.error().describe());
    return Failure(error);
  }

  Status fail_with(FileAction& action, const Error& error, bool is_kept = false) {
    m_pulse.wait();
    if (is_kept)
      action.fail_keeping(error);
    else
      action.fail(error);
    return Failure(error);
  }

  void begin_owned(const comm::Begin& message) {
    const comm::Job& job = message.job;
    std::optional<CopyVersion> earlier;
    if (!message.object.empty()) earlier = CopyVersion{message.data_version, message.object};
    const TimePoint begun = std::chrono::steady_clock::now();
    m_pulse.wait();
    Status status;
    auto owned = std::make_unique<OwnedAction>(m_environment);
    if (auto opened = FileAction::open(owned->environment, job.item); !opened) {
      status = refuse_with(owned->environment, job.item, opened.error());
    } else if (status = (*opened)->begin(earlier); !status) {
      (*opened)->fail(status.error());
    } else {
      owned->action = std::move(*opened);
      FileAction& action = *owned->action;
      const Announcement announcement = action.announce();
      const CopyVersion version = announcement.version.value_or(CopyVersion{});
      const std::uint64_t size = action.size();
      m_owned.add(job.id, std::move(owned));
      m_reporter.add(job.id, action);
      m_outbox.post(comm::Begun{job.id, announcement.dfid, size, announcement.stripe_size, announcement.token,
                                version.object, version.data_version, announcement.is_resumed});
      return;
    }
    m_outbox.failed(job.id, status.error(), owned->is_untaken, begun);
  }

  void finish_owned(const comm::Finish& message) {
    const TimePoint begun = std::chrono::steady_clock::now();
    m_reporter.remove(message.id);
    const std::unique_ptr<OwnedAction> owned = m_owned.take(message.id);
    FileAction& action = *owned->action;
    comm::Result result;
    result.id = message.id;
    result.size = action.size();
    const Status status = message.error ? fail_with(action, *message.error, message.is_kept)
                                        : finish_striped(action, message, result);
    owned->action.reset();  // closed before it is reported
    if (!status) set_failed(result, status.error(), owned->is_untaken);
    m_outbox.finished(std::move(result), begun);
  }

  Status finish_striped(FileAction& action, const comm::Finish& message, comm::Result& result) {
    const auto digest = copy::ObjectDigest::parse(message.digest);
    if (!digest) throw Fatal("told to finish a file without its digest");
    return finish(action, *digest, result);
  }

  // Answers.

  void send_posted() {
    const Outbox::Content content = m_outbox.take();
    for (const comm::Message& message : content.messages) m_channel.send(0, message);
    if (content.results.results.empty()) return;
    for (const comm::Result& result : content.results.results) m_stops.forget(result.id);
    m_channel.send(0, content.results);
  }

  void pause(bool paused) {
    if (m_pulse.paused() == paused) return;
    log::info("{}", paused ? "the dispatcher is silent: work pauses" : "the dispatcher speaks: work goes on");
    m_pulse.pause(paused);
  }

  void tick(bool asked = false) {
    const auto idle = std::chrono::duration_cast<std::chrono::microseconds>(m_slots.idle_time());
    const comm::Tick now{m_bytes_moved, static_cast<std::uint32_t>(m_slots.running()), m_estranged,
                         static_cast<std::uint64_t>(idle.count()), m_copies.lasting(std::chrono::steady_clock::now())};
    if (!asked && now.bytes_moved == m_last_tick.bytes_moved && now.running == m_last_tick.running &&
        now.estranged == m_last_tick.estranged)
      return;
    m_last_tick = now;
    m_channel.send(0, now);
    m_stops.forget_unused();
  }

  comm::Channel& m_channel;
  std::atomic<std::uint64_t> m_bytes_moved = 0;
  std::atomic<std::uint64_t> m_estranged = 0;
  Pulse m_pulse;
  ByteBudget m_budget{[this](std::uint64_t total) { m_outbox.post(comm::BandwidthWanted{total}); }};
  Environment m_environment;
  StopFlags m_stops;  // the channel's thread only
  comm::Tick m_last_tick;
  CopyList m_copies;

  Outbox m_outbox;

  OwnedActions m_owned;

  ProgressReporter m_reporter;
  SlotPool m_ender;  // ends what needs no slot
  FileAskers m_askers;
  SlotPool m_slots;  // last: its threads use all of the above
};

}  // namespace

void run_worker(comm::Channel& channel, const WorkerIdentity& identity, lustre::Client& client,
                archive::Backend& backend, const CopyOptions& options, AskHandler ask) {
  Worker worker(channel, identity, client, backend, options, std::move(ask));
  channel.send(0, hello_of(identity, client.fsname()));
  worker.run();
}

}  // namespace lhsm::run
