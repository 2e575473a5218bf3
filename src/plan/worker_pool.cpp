// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/worker_pool.hpp"

#include <algorithm>

namespace lhsm::plan {

namespace {

constexpr std::size_t k_most_jobs_ahead = 1024;
constexpr double k_memory = 1.0 / 16;  // weight of the newest job in the mean

std::uint64_t load(std::size_t jobs, std::uint32_t slots) { return jobs * 1024 / slots; }

}  // namespace

std::uint32_t WorkerPool::slots_for(const Worker& worker, Precedence precedence) const {
  if (precedence != Precedence::bulk) return worker.slots;
  return worker.slots > m_reserved_slots ? worker.slots - m_reserved_slots : 1;
}

std::size_t WorkerPool::job_limit(const Worker& worker, Precedence precedence) const {
  if (precedence == Precedence::bulk) {
    // Extents and whole jobs take their slots from the same share.
    const std::uint32_t slots = slots_for(worker, precedence);
    const std::size_t free = slots > worker.extents ? slots - worker.extents : 1;
    if (worker.mean_us <= 0) return free;
    const double ahead = static_cast<double>(m_queue_ahead.count()) / worker.mean_us;
    return free + std::min(k_most_jobs_ahead, static_cast<std::size_t>(ahead * static_cast<double>(free)));
  }
  if (worker.mean_us <= 0) return 2 * std::size_t{worker.slots};
  const double ahead = static_cast<double>(m_queue_ahead.count()) / worker.mean_us;
  return worker.slots + std::min(k_most_jobs_ahead, static_cast<std::size_t>(ahead * worker.slots));
}

void WorkerPool::insert(WorkerId id, const Worker& worker) {
  m_by_jobs.emplace(load(worker.jobs, worker.slots), worker.extents, id);
  if (worker.extents < worker.slots) {
    m_host_room[worker.host].emplace(worker.extents, id);
    m_hosts_with_room.emplace(m_host_extents[worker.host], worker.host);
  }
}

void WorkerPool::remove(WorkerId id, const Worker& worker) {
  m_by_jobs.erase({load(worker.jobs, worker.slots), worker.extents, id});
  auto& room = m_host_room[worker.host];
  room.erase({worker.extents, id});
  if (room.empty()) m_hosts_with_room.erase({m_host_extents[worker.host], worker.host});
}

template <class Change>
void WorkerPool::update(WorkerId id, Change change) {
  Worker& worker = m_workers.at(id);
  remove(id, worker);
  // The host's place in the order depends on its count, which the change may alter.
  m_hosts_with_room.erase({m_host_extents[worker.host], worker.host});
  change(worker);
  insert(id, worker);
  if (!m_host_room[worker.host].empty()) m_hosts_with_room.emplace(m_host_extents[worker.host], worker.host);
}

bool WorkerPool::add(WorkerId id, std::uint32_t slots, const std::string& host) {
  if (slots == 0 || m_workers.contains(id)) return false;
  auto known = std::find(m_hosts.begin(), m_hosts.end(), host);
  if (known == m_hosts.end()) {
    known = m_hosts.insert(m_hosts.end(), host);
    m_host_extents.push_back(0);
    m_host_room.emplace_back();
  }
  Worker& worker = m_workers[id];
  worker.slots = slots;
  worker.host = static_cast<std::size_t>(known - m_hosts.begin());
  m_slots += slots;
  insert(id, worker);
  return true;
}

std::optional<std::pair<WorkerId, std::size_t>> WorkerPool::for_jobs(Precedence precedence) const {
  if (m_by_jobs.empty()) return std::nullopt;
  const WorkerId id = std::get<WorkerId>(*m_by_jobs.begin());
  const Worker& worker = m_workers.at(id);
  const std::size_t limit = job_limit(worker, precedence);
  if (worker.jobs >= limit) return std::nullopt;
  return std::pair{id, limit - worker.jobs};
}

std::optional<WorkerId> WorkerPool::for_extent(Precedence precedence, SlotShare share) const {
  if (m_hosts_with_room.empty()) return std::nullopt;
  const auto [extents, id] = *m_host_room[m_hosts_with_room.begin()->second].begin();
  const Worker& worker = m_workers.at(id);
  if (extents >= slots_for(worker, precedence)) return std::nullopt;
  if (share == SlotShare::half && extents >= std::max(1U, worker.slots / 2)) return std::nullopt;
  return id;
}

void WorkerPool::jobs_given(WorkerId id, std::size_t count) {
  update(id, [count](Worker& worker) { worker.jobs += count; });
}

void WorkerPool::jobs_taken_back(WorkerId id, std::size_t count) {
  update(id, [count](Worker& worker) { worker.jobs -= std::min(worker.jobs, count); });
}

void WorkerPool::job_done(WorkerId id, std::chrono::microseconds took) {
  update(id, [took](Worker& worker) {
    worker.jobs -= std::min<std::size_t>(worker.jobs, 1);
    const auto us = std::max(1.0, static_cast<double>(took.count()));
    worker.mean_us = worker.mean_us <= 0 ? us : worker.mean_us + (us - worker.mean_us) * k_memory;
  });
}

void WorkerPool::extent_given(WorkerId id) {
  update(id, [this](Worker& worker) {
    ++worker.extents;
    ++m_host_extents[worker.host];
  });
}

void WorkerPool::extent_done(WorkerId id) {
  update(id, [this](Worker& worker) {
    if (worker.extents == 0) return;
    --worker.extents;
    --m_host_extents[worker.host];
  });
}

std::optional<WorkerPool::Imbalance> WorkerPool::find_imbalance() {
  if (m_by_jobs.size() < 2) return std::nullopt;
  const Worker& idle = m_workers.at(std::get<WorkerId>(*m_by_jobs.begin()));
  if (idle.jobs != 0 || idle.extents != 0) return std::nullopt;
  const WorkerId id = std::get<WorkerId>(*m_by_jobs.rbegin());
  Worker& loaded = m_workers.at(id);
  if (loaded.recall_asked || loaded.jobs <= loaded.slots) return std::nullopt;
  loaded.recall_asked = true;
  return Imbalance{id, static_cast<std::uint32_t>((loaded.jobs - loaded.slots + 1) / 2)};
}

void WorkerPool::recall_answered(WorkerId id) { m_workers.at(id).recall_asked = false; }

}  // namespace lhsm::plan
