// SPDX-License-Identifier: LGPL-2.1-or-later
// What the dispatcher sees to in each turn besides actions.
#include <fmt/format.h>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/run/dispatcher.hpp"
#include "lhsmtool_mpi/run/pulse.hpp"

namespace lhsm::run {

/// Tell the workers that this rank is not stopped, while there is work that they would pause.
void Dispatcher::beat(TimePoint now) {
  if (now < m_next_beat || m_scheduler.idle()) return;
  m_next_beat = now + k_heartbeat_interval;
  for (const WorkerId worker : m_workers) m_channel.send(worker, comm::Heartbeat{});
}

void Dispatcher::keep_alive(KeepAlive& keeper, TimePoint now) {
  const KeepAlive::Answers answers = keeper.take_answers();
  for (const JobId job : answers.cancelled) m_scheduler.cancel(job);
  for (const JobId job : answers.forgotten) forget(job);
  if (answers.estranged && m_receiver != nullptr) m_receiver->doubt();
  if (now < m_next_keep_alive || m_state.draining || !keeper.idle()) return;
  m_next_keep_alive = now + m_options.keep_alive / plan::Scheduler::k_keep_alive_rounds;
  KeepAlive::Actions waiting;
  for (const JobId job : m_scheduler.keep_alive_round()) {
    const ActionItem& item = m_scheduler.find(job)->item;
    waiting.push_back({job, item.fid, item.cookie});
  }
  keeper.report(std::move(waiting));
}

/// For people: what does not move keeps its request, as an archive may be slow for good reasons.
void Dispatcher::look_for_stalls(TimePoint now) {
  constexpr Duration k_interval = std::chrono::seconds(20);
  if (now - m_stalls_looked_for < k_interval) return;
  const bool was_away = now - m_stalls_looked_for > 2 * k_interval;  // stopped: the others were, too
  m_stalls_looked_for = now;
  if (was_away || m_scheduler.idle()) m_stall_watch.rest(now);
  const auto seconds = [](Duration time) { return std::chrono::duration_cast<std::chrono::seconds>(time).count(); };
  const auto host_of = [this](WorkerId worker) { return m_ranks.at(static_cast<std::size_t>(worker)).host; };
  for (const WorkerId worker : m_stall_watch.silent(now))
    log::warning("rank {} on {} has said nothing for {} s; what it has in hand waits for it", worker, host_of(worker),
                 seconds(StallWatch::k_rank_patience));
  for (const RunningFile& file : m_stall_watch.stalled(detail(now).files, now))
    log::warning("{} {}: {}rank {} on {} has {} of it for {} s", to_string(file.kind), file.fid.bracketed(),
                 file.is_striped ? "its owner, " : "", file.worker, host_of(file.worker),
                 file.is_striped ? "heard of no finished extent" : "moved no byte", seconds(StallWatch::k_copy_patience));
}

void Dispatcher::share_bandwidth(TimePoint now) {
  if (const std::uint64_t limit = m_options.bandwidth != nullptr ? m_options.bandwidth->load() : 0;
      limit != m_bandwidth.limit()) {
    m_bandwidth.set_limit(limit, now);
    log::info("bandwidth limit: {}", limit == 0 ? "none" : format_size(limit) + "/s");
    for (const WorkerId worker : m_workers) m_channel.send(worker, comm::BandwidthLimit{limit});
  }
  while (const auto grant = m_bandwidth.next(now)) m_channel.send(grant->worker, comm::BandwidthGrant{grant->bytes});
}

void Dispatcher::open_errands() {
  if (m_options.errands != nullptr) m_options.errands->open(m_workers, [this] { m_channel.wake(); });
}

void Dispatcher::send_errands() {
  if (m_options.errands == nullptr) return;
  while (const auto errand = m_options.errands->next()) m_channel.send(errand->first, errand->second);
}

void Dispatcher::close_errands() {
  if (m_options.errands != nullptr) m_options.errands->close();
}

void Dispatcher::handle(WorkerId from, const comm::FilesAsked& message) {
  if (m_options.errands == nullptr || !m_options.errands->answered(from, message))
    throw Fatal(fmt::format("rank {} answered for files that it was not asked about", from));
}

bool Dispatcher::is_idle() const {
  return m_scheduler.idle() && (m_options.errands == nullptr || m_options.errands->idle());
}

}  // namespace lhsm::run
