// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The dispatcher's part that tells how far it is.
#include <limits>

#include "lhsmtool_mpi/run/dispatcher.hpp"

namespace lhsm::run {

namespace {

constexpr std::size_t k_most_files = 256;

plan::QueueCounts difference(const plan::QueueCounts& all, const plan::QueueCounts& some) {
  return {all.archive - some.archive, all.restore - some.restore, all.remove - some.remove, all.other - some.other};
}

}  // namespace

void Dispatcher::publish(TimePoint now) {
  m_state.queued = m_scheduler.queued();
  m_state.running = m_scheduler.unfinished() - m_scheduler.queued();
  m_idle_watch.waiting(m_state.queued > 0, now);
  m_state.waited = m_idle_watch.waited();
  m_state.most_idle = m_idle_watch.most_idle();
  m_state.bytes_copied = 0;
  for (const comm::Tick& tick : m_ticks) m_state.bytes_copied += tick.bytes_moved;
  count_bulk_bytes();
  m_observer.update(m_state, now);
}

void Dispatcher::count_bulk_bytes() {
  m_state.bulk_bytes = m_state.bulk_kept = 0;
  const auto is_bulk = [this](JobId id) {
    const plan::JobRecord* const job = m_scheduler.find(id);
    return job != nullptr && job->is_bulk;
  };
  for (const plan::StripedProgress& striped : m_scheduler.striped_files(std::numeric_limits<std::size_t>::max())) {
    if (!is_bulk(striped.job)) continue;
    m_state.bulk_bytes += striped.done;
    m_state.bulk_kept += m_copies.kept_bytes(striped.job);
  }
  for (const comm::Tick& tick : m_ticks)
    for (const comm::CopyProgress& copy : tick.copies)
      if (is_bulk(copy.id)) m_state.bulk_bytes += copy.done;
}

RunDetail Dispatcher::detail(TimePoint now) const {
  RunDetail detail;
  detail.pending = m_scheduler.queued_by_kind();
  detail.running = difference(m_scheduler.unfinished_by_kind(), detail.pending);
  detail.user_restores = m_arrivals.waited_for();
  if (const auto oldest = m_arrivals.oldest_waited_for()) detail.oldest_user_restore = now - *oldest;
  detail.bandwidth_limit = m_bandwidth.limit();
  detail.ranks = m_ranks;
  for (std::size_t i = 0; i < m_ticks.size(); ++i) {
    detail.ranks[i].running = m_ticks[i].running;
    detail.ranks[i].bytes_copied = m_ticks[i].bytes_moved;
  }
  const auto add = [&](JobId id, RunningFile file) {
    const plan::JobRecord* const job = m_scheduler.find(id);
    if (job == nullptr) return;  // over: its rank has not said so yet
    file.kind = job->item.kind;
    file.fid = job->item.fid;
    file.is_bulk = job->is_bulk;
    file.age = now - m_arrivals.of(id);
    detail.files.push_back(file);
  };
  for (const plan::StripedProgress& striped : m_scheduler.striped_files(k_most_files)) {
    RunningFile file;
    file.worker = striped.owner;
    file.size = striped.size;
    file.done = striped.done;
    file.is_striped = true;
    file.extents_done = striped.extents_done;
    file.extents_running = striped.extents_running;
    add(striped.job, file);
  }
  for (std::size_t i = 0; i < m_ticks.size(); ++i) {
    for (const comm::CopyProgress& copy : m_ticks[i].copies) {
      if (detail.files.size() >= k_most_files) return detail;
      RunningFile file;
      file.worker = static_cast<WorkerId>(i);
      file.size = copy.size;
      file.done = copy.done;
      add(copy.id, file);
    }
  }
  return detail;
}

}  // namespace lhsm::run
