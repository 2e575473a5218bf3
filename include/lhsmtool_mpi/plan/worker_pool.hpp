// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/plan/precedence.hpp"

namespace lhsm::plan {

/// How many of a worker's slots extents may take.
enum class SlotShare { all, half };

/// Who has room for what. A worker takes whole jobs somewhat ahead of what it runs, so that it need
/// not wait for the next message: as many as it carries out in `queue_ahead`, judged by how long its
/// last ones took. Extents are long: one per slot, none ahead. What is of the bulk finds `reserved_slots` of
/// each worker missing (but one is there), so that others need not wait for its long copies. Choices are
/// logarithmic in workers.
class WorkerPool {
 public:
  explicit WorkerPool(std::chrono::microseconds queue_ahead, std::uint32_t reserved_slots = 0)
      : m_queue_ahead(queue_ahead), m_reserved_slots(reserved_slots) {}

  /// False when there is a worker of this number, or it has no slots.
  bool add(WorkerId worker, std::uint32_t slots, const std::string& host);
  [[nodiscard]] bool contains(WorkerId worker) const { return m_workers.contains(worker); }
  [[nodiscard]] std::size_t size() const { return m_workers.size(); }
  [[nodiscard]] std::uint64_t slots() const { return m_slots; }

  /// Return the worker with the fewest whole jobs per slot, of those the one with the fewest extents, if it
  /// has room, and how much room.
  [[nodiscard]] std::optional<std::pair<WorkerId, std::size_t>> for_jobs(
      Precedence precedence = Precedence::others) const;
  /// Return the worker for the next extent: on the host with the fewest extents, there the least busy.
  /// Nobody when that one has extents in all slots that are there. With SlotShare::half nobody when that one has extents in half of its slots (one at least).
  [[nodiscard]] std::optional<WorkerId> for_extent(Precedence precedence = Precedence::others,
                                                   SlotShare share = SlotShare::all) const;

  void jobs_given(WorkerId worker, std::size_t count);
  void jobs_taken_back(WorkerId worker, std::size_t count);
  /// One job is final; `took` is its time in a slot.
  void job_done(WorkerId worker, std::chrono::microseconds took);
  void extent_given(WorkerId worker);
  void extent_done(WorkerId worker);

  struct Imbalance {
    WorkerId from;
    std::uint32_t surplus;
  };
  /// When one worker has nothing at all and another has jobs that it has not begun: the most loaded
  /// worker and how many of its jobs to take back. At most one answer per worker until
  /// jobs_taken_back() or recall_answered().
  [[nodiscard]] std::optional<Imbalance> find_imbalance();
  void recall_answered(WorkerId worker);

 private:
  struct Worker {
    std::uint32_t slots = 0;
    std::size_t host = 0;
    std::size_t jobs = 0;
    std::uint32_t extents = 0;
    double mean_us = 0;  // of a job; 0: none seen
    bool recall_asked = false;
  };
  [[nodiscard]] std::uint32_t slots_for(const Worker& worker, Precedence precedence) const;
  [[nodiscard]] std::size_t job_limit(const Worker& worker, Precedence precedence) const;
  /// Apply `change` to a worker while it is out of the ordered sets.
  template <class Change>
  void update(WorkerId id, Change change);
  void insert(WorkerId id, const Worker& worker);
  void remove(WorkerId id, const Worker& worker);

  std::chrono::microseconds m_queue_ahead;
  std::uint32_t m_reserved_slots;
  std::uint64_t m_slots = 0;
  std::unordered_map<WorkerId, Worker> m_workers;
  std::vector<std::string> m_hosts;
  std::vector<std::uint32_t> m_host_extents;
  std::set<std::tuple<std::uint64_t, std::uint32_t, WorkerId>> m_by_jobs;  // jobs per slot (fixed point), extents
  // Per host its workers that have room for an extent; and the hosts that have such workers.
  std::vector<std::set<std::pair<std::uint32_t, WorkerId>>> m_host_room;
  std::set<std::pair<std::uint32_t, std::size_t>> m_hosts_with_room;
};

}  // namespace lhsm::plan
