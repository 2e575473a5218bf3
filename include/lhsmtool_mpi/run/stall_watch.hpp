// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/run/run_detail.hpp"

namespace lhsm::run {

/// Finds copies that do not move and ranks that say nothing, for people: an archive may be slow for good reasons (a tape), so
/// nothing else is made of it. One thread. Each is told of once, until it moves or speaks again.
class StallWatch {
 public:
  static constexpr Duration k_copy_patience = std::chrono::minutes(10);
  static constexpr Duration k_rank_patience = std::chrono::minutes(1);

  StallWatch(std::size_t workers, TimePoint now) : m_workers(workers, Worker{now, false}) {}

  /// Return the copies that moved no byte for too long; of striped ones, of which no extent was finished. `files`: those that are
  /// watched, the same ones each time as long as they are under way.
  [[nodiscard]] std::vector<RunningFile> stalled(const std::vector<RunningFile>& files, TimePoint now);

  /// Return whether the worker had been told of as silent.
  bool heard(WorkerId worker, TimePoint now);
  /// Return the workers that were not heard for too long.
  [[nodiscard]] std::vector<WorkerId> silent(TimePoint now);
  /// Nothing is expected to be heard until now.
  void rest(TimePoint now);

 private:
  using Key = std::pair<Fid, ActionKind>;
  struct Copy {
    std::uint64_t done = 0;
    TimePoint since;
    bool is_told = false;
  };
  struct Worker {
    TimePoint heard;
    bool is_told = false;
  };
  std::map<Key, Copy> m_copies;
  std::vector<Worker> m_workers;
};

}  // namespace lhsm::run
