// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lhsmtool_mpi/base/log.hpp"
#include "stop_sequence.hpp"

namespace lhsm::run {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_idle_wait = 500ms;
constexpr Duration k_coverage_interval = 1s;
constexpr Duration k_least_interval = 10ms;  // also when progress is asked for all the time
constexpr Duration k_publish_interval = 100ms;
constexpr Duration k_farewell = 1s;      // to unregister, even if nobody is to be waited for: else the coordinator still sends
constexpr Duration k_mdt_patience = 2s;  // with what only the registration waits for, when nobody is to be waited for
constexpr int k_messages_a_turn = 64;
// Refused for want of time: the errno of an action that is put back. Not ECANCELED, which the
// coordinator would take for the answer to a cancel.
constexpr int k_put_back_errno = EAGAIN;

/// Whether somebody other than the job may wait for it.
bool is_user_restore(const plan::JobRecord& job) { return job.item.kind == ActionKind::restore && !job.is_bulk; }

}  // namespace

Dispatcher::Dispatcher(comm::Channel& channel, std::vector<WorkerId> workers, comm::Likeness likeness,
                       DispatcherOptions options, const Clock& clock, Observer& observer)
    : m_channel(channel),
      m_workers(std::move(workers)),
      m_likeness(std::move(likeness)),
      m_options(std::move(options)),
      m_clock(clock),
      m_observer(observer),
      m_scheduler(m_options.scheduler),
      m_ticks(static_cast<std::size_t>(*std::max_element(m_workers.begin(), m_workers.end())) + 1),
      m_ranks(m_ticks.size()),
      m_idle_watch(m_ticks.size()),
      m_stall_watch(m_ticks.size(), clock.now()),
      m_copies(m_options.unfinished) {
  m_state.source = this;
  m_state.started = m_clock.now();
  m_state.ranks = m_workers.size();
}

void Dispatcher::serve(lustre::Client& client, const StopRequest& stop) {
  Receiver receiver(client, m_options.archive_ids, m_options.registration, [this] { m_channel.wake(); });
  KeepAlive keeper(client, [this] { m_channel.wake(); });
  m_receiver = &receiver;
  open_errands();
  const struct Forget {
    Dispatcher& dispatcher;
    ~Forget() {  // also when this is left by an exception
      dispatcher.m_receiver = nullptr;
      dispatcher.close_errands();
    }
  } forget{*this};
  m_next_beat = m_clock.now();
  m_next_keep_alive = m_clock.now() + m_options.keep_alive / plan::Scheduler::k_keep_alive_rounds;
  take_in_adopted(client);
  std::optional<Error> refused;
  StopSequence stopping(m_options.drain_timeout);
  TimePoint give_up_at = TimePoint::max();
  TimePoint next_publish = m_clock.now();
  TimePoint next_coverage = m_clock.now() + k_coverage_interval;
  const Duration coverage_interval =
      std::clamp<Duration>(m_options.update_interval / 2, k_least_interval, k_coverage_interval);

  // The threads that talk to MDTs may have to wait for one that is down: this one waits for them last.
  for (bool alone = false; !m_state.draining || !alone || !is_idle();) {
    Duration wait = m_scheduler.idle() ? k_idle_wait : std::min(k_idle_wait, coverage_interval);
    if (const auto due = m_bandwidth.due(m_clock.now()))
      wait = std::clamp(*due - m_clock.now(), Duration::zero(), wait);
    receive(wait);
    share_bandwidth(m_clock.now());
    send_errands();
    alone = receiver.stopped() && keeper.stopped();
    take_in(client, receiver.take());
    const TimePoint now = m_clock.now();
    beat(now);
    if (!m_state.draining) refused = receiver.refused();
    using Step = StopSequence::Step;
    const int asked = std::max(refused ? 1 : 0, stop.count.load());
    for (Step step; (step = stopping.next(asked, m_scheduler.unfinished(), now)) != Step::wait;) {
      if (step == Step::drain) {
        receiver.request_stop();  // nothing new is taken, but what comes until then is refused
        keeper.request_stop();
        begin_drain();
      } else if (step == Step::stop_running) {
        m_scheduler.stop_running({ErrorKind::busy, k_put_back_errno, "stopped while it ran", client.mount_point()});
      } else {
        give_up_at = now + (m_scheduler.idle() ? k_mdt_patience : k_farewell);
      }
    }
    const bool has_left = give_up_at != TimePoint::max() && receiver.stopped();  // what is not ended now is not waited for
    if ((now >= give_up_at || (has_left && !m_scheduler.idle())) && !(alone && is_idle())) give_up();
    if (now >= next_coverage) {
      m_scheduler.report_coverage();
      next_coverage = now + coverage_interval;
    }
    keep_alive(keeper, now);
    look_for_stalls(now);
    while (const auto command = m_scheduler.next()) {
      carry_out(*command);
      beat(m_clock.now());
    }
    if (now >= next_publish) {
      publish(now);
      next_publish = now + k_publish_interval;
    }
  }
  if (refused) throw Fatal(*refused);
}

void Dispatcher::give_up() {
  std::string why = "all actions are ended, but an MDT does not answer: the copytool may stay registered";
  if (!m_scheduler.idle())
    why = fmt::format("{} actions are not ended: rank {} does not answer", m_scheduler.unfinished(), m_scheduler.any_holder());
  else if (const auto asker = m_options.errands != nullptr ? m_options.errands->any_holder() : std::nullopt)
    why = fmt::format("all actions are ended, but rank {}, which asks the coordinator for more, does not answer", *asker);
  if (m_options.on_stuck) m_options.on_stuck(why);
  throw Fatal(why);
}

/// Wait for a message, then handle all that are there.
void Dispatcher::receive(Duration timeout) {
  for (int left = k_messages_a_turn; left > 0; --left, timeout = Duration::zero()) {
    const auto envelope = m_channel.receive(timeout);
    if (!envelope) return;
    std::visit([this, &envelope](const auto& message) { handle(envelope->peer, message); }, envelope->message);
  }
}

void Dispatcher::begin_drain() {
  log::info("stopping: {} actions to finish or to put back", m_scheduler.unfinished());
  m_state.draining = true;
  m_scheduler.drain(k_put_back_errno);
}

void Dispatcher::take_in(lustre::Client& client, std::vector<Arrival> arrivals) {
  for (auto& [item, reject_errno] : arrivals) {
    switch (item.kind) {
      case ActionKind::cancel:
        if (m_scheduler.cancel(item.mdt_index, item.cookie) == plan::CancelEffect::unknown_cookie)
          log::debug("{}: nothing to cancel", item.describe());
        continue;
      case ActionKind::archive:
      case ActionKind::restore:
      case ActionKind::remove:
        break;
      default:
        log::warning("action {} of {} on {} is unknown here and refused", static_cast<std::uint32_t>(item.kind),
                     item.fid.bracketed(), client.mount_point());
        reject_errno = EINVAL;
    }
    // item.extent is not looked at: Lustre knows no copy of a part (facts 2.4). A RESTORE swaps the whole file in,
    // and ARCHIVED stands for all of it, so both are of the whole file whatever part was asked for.
    const std::string text = log::enabled(log::Level::debug) ? item.describe() : std::string();
    if (reject_errno == 0) reject_errno = m_options.refuse_errno;
    const auto precedence =
        m_options.is_bulk && m_options.is_bulk(item) ? plan::Precedence::bulk : plan::Precedence::others;
    const plan::JobRecord* const job = m_scheduler.add(std::move(item), reject_errno, precedence);
    if (job == nullptr) {
      log::debug("{}: sent twice, dropped", text);
      continue;
    }
    ++m_state.received;
    m_arrivals.add(job->id, is_user_restore(*job), m_clock.now());
    m_observer.taken_in(job->item);
  }
}

void Dispatcher::take_in_adopted(lustre::Client& client) {
  std::vector<Arrival> arrivals;
  for (ActionItem& item : m_options.adopted) arrivals.push_back({std::move(item), 0});
  m_options.adopted.clear();
  take_in(client, std::move(arrivals));
}

void Dispatcher::carry_out(const plan::Command& command) {
  const auto job = [this](JobId id) {
    const plan::JobRecord& record = *m_scheduler.find(id);
    return comm::Job{id, record.reject_errno, record.item};
  };
  std::visit(
      [&](const auto& c) {
        using C = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<C, plan::GiveJobs>) {
          comm::Jobs message;
          message.jobs.reserve(c.jobs.size());
          for (const JobId id : c.jobs) message.jobs.push_back(job(id));
          m_channel.send(c.worker, message);
        } else if constexpr (std::is_same_v<C, plan::GiveBegin>) {
          m_channel.send(c.worker, m_copies.begin(job(c.job)));
        } else if constexpr (std::is_same_v<C, plan::GiveExtent>) {
          const ActionItem& item = m_scheduler.find(c.job)->item;
          const plan::StripedFile& file = *m_scheduler.striped(c.job);
          m_channel.send(c.worker,
                         comm::CopyExtent{c.job, item.kind, item.fid, file.dfid, file.token, c.extent, file.size});
        } else if constexpr (std::is_same_v<C, plan::TellCovered>) {
          m_channel.send(c.worker, comm::Covered{c.job, c.extents});
        } else if constexpr (std::is_same_v<C, plan::GiveFinish>) {
          m_channel.send(c.worker, finish_of(c.job, c.error));
        } else if constexpr (std::is_same_v<C, plan::TellCancel>) {
          m_channel.send(c.worker, comm::Cancel{c.job, c.error});
        } else {
          static_assert(std::is_same_v<C, plan::TakeBack>);
          m_channel.send(c.worker, comm::Recall{c.most});
        }
      },
      command);
}

void Dispatcher::handle(WorkerId from, const comm::Results& message) {
  for (const comm::Result& result : message.results) finish(from, result);
}

void Dispatcher::finish(WorkerId from, const comm::Result& result) {
  if (result.disposition == comm::Disposition::large) {
    m_scheduler.found_large(from, result.id, result.size);
    return;
  }
  const std::chrono::microseconds took(result.microseconds);
  // Its coordinator had forgotten it, and has sent it again meanwhile (facts 4.4).
  if (result.is_untaken && m_scheduler.begin_again(from, result.id, took)) return;
  const plan::JobRecord* const job = m_scheduler.find(result.id);
  const bool is_users = job != nullptr && is_user_restore(*job);
  const auto item = m_scheduler.ended(from, result.id, took);
  if (!item) {
    log::warning("rank {} reported job {}, which it does not have", from, result.id);
    return;
  }
  ActionOutcome outcome;
  outcome.worker = from;
  outcome.bytes_moved = result.bytes_moved;
  outcome.took = took;
  std::uint64_t kept = 0;
  if (const auto work = m_copies.ended(result.id)) {
    kept = work->kept_bytes;
    outcome.bytes_moved = work->bytes_moved;
    outcome.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - work->begun);
  }
  outcome.age = m_clock.now() - m_arrivals.over(result.id, is_users);
  RankState& rank = m_ranks.at(static_cast<std::size_t>(from));
  ++(result.disposition == comm::Disposition::done ? rank.done : rank.failed);
  if (result.disposition == comm::Disposition::done) {
    outcome.size = result.size;
    if (item->kind == ActionKind::archive) ++m_state.archived;
    if (item->kind == ActionKind::restore) {
      ++m_state.restored;
      if (!result.is_verified) ++m_state.unverified;
    }
    if (item->kind == ActionKind::remove) ++m_state.removed;
    if (result.digest.size() == 16) std::copy(result.digest.begin(), result.digest.end(), outcome.digest.emplace().begin());
    m_state.file_bytes += result.size - std::min(result.size, kept);
    m_observer.ended(*item, outcome);
    return;
  }
  outcome.error = result.error;
  outcome.put_back = m_state.draining && result.error.sys_errno == k_put_back_errno;
  count_undone(*item, outcome);
}

void Dispatcher::count_undone(const ActionItem& item, const ActionOutcome& outcome) {
  if (outcome.error->kind == ErrorKind::cancelled) {
    ++m_state.cancelled;
  } else if (outcome.put_back) {
    ++m_state.put_back;
  } else {
    ++m_state.failed;
    m_observer.failed(item, *outcome.error);
  }
  m_observer.ended(item, outcome);
}

/// Of an action that no rank has: it counts as cancelled, as one that its begin would have found unknown.
void Dispatcher::forget(JobId id) {
  const plan::JobRecord* const job = m_scheduler.find(id);
  const bool is_users = job != nullptr && is_user_restore(*job);
  const auto item = m_scheduler.forget(id);
  if (!item) return;
  ActionOutcome outcome;
  outcome.error = Error{ErrorKind::cancelled, ENOENT, "report as alive", item->fid.bracketed()};
  outcome.age = m_clock.now() - m_arrivals.over(id, is_users);
  count_undone(*item, outcome);
}

void Dispatcher::handle(WorkerId from, const comm::Begun& message) {
  const plan::JobRecord* const job = m_scheduler.find(message.id);
  std::vector<Extent> done = job != nullptr ? m_copies.begun(message, job->item) : std::vector<Extent>();
  if (!m_scheduler.begun(from, message.id, {message.dfid, message.size, message.stripe_size, message.token,
                                            copy::leaf_bytes(message.size)}, std::move(done)))
    throw Fatal(fmt::format("rank {} began job {}, which it was not given", from, message.id));
}

comm::Finish Dispatcher::finish_of(JobId job, const std::optional<Error>& error) {
  const bool is_put_back = error && m_state.draining && error->sys_errno == k_put_back_errno;
  auto finish = m_copies.finish(job, error, is_put_back);
  if (!finish) throw Fatal(fmt::format("job {} is complete, but not its digest", job));
  return std::move(*finish);
}

void Dispatcher::handle(WorkerId from, const comm::ExtentDone& message) {
  const plan::JobRecord* const job = m_scheduler.find(message.id);
  if (job != nullptr && !message.error && !m_copies.extent_done(message, job->item))
    throw Fatal(fmt::format("rank {} sent digests for job {} that do not fit", from, message.id));
  if (!m_scheduler.extent_done(from, message.id, message.extent, message.error))
    throw Fatal(fmt::format("rank {} copied an extent of job {}, which it was not given", from, message.id));
}

void Dispatcher::handle(WorkerId from, const comm::Trouble& message) {
  if (!m_scheduler.trouble(from, message.id, message.error))
    log::debug("rank {}: trouble with job {}, which is over", from, message.id);
}

void Dispatcher::handle(WorkerId from, const comm::Returned& message) { m_scheduler.returned(from, message.ids); }

void Dispatcher::handle(WorkerId from, const comm::BandwidthWanted& message) {
  m_bandwidth.want(from, message.total);
}

void Dispatcher::handle(WorkerId from, const comm::Tick& message) {
  comm::Tick& last = m_ticks.at(static_cast<std::size_t>(from));
  if (message.estranged != last.estranged && m_receiver != nullptr) m_receiver->doubt();
  last = message;
  m_idle_watch.heard(from, std::chrono::microseconds(message.idle_us), m_clock.now());
  if (m_stall_watch.heard(from, m_clock.now())) log::info("rank {} speaks again", from);
}

template <class Other>
void Dispatcher::handle(WorkerId from, const Other&) {
  throw Fatal(fmt::format("rank {} sent a message that only a dispatcher sends", from));
}

}  // namespace lhsm::run
