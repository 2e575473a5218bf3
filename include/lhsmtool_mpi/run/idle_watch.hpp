// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/ids.hpp"

namespace lhsm::run {

/// How long ranks had nothing to do although actions waited: what a good distribution of work keeps near nothing.
/// Learnt from what ranks say now and then of their idle time, so exact to such an interval. One thread.
class IdleWatch {
 public:
  explicit IdleWatch(std::size_t workers) : m_workers(workers) {}

  /// Whether actions wait now; call it often.
  void waiting(bool some, TimePoint now);
  /// The worker has been idle for `idle` since it started.
  void heard(WorkerId worker, Duration idle, TimePoint now);

  /// Time in which actions waited.
  [[nodiscard]] Duration waited() const { return m_waited; }
  /// Of that, the idle time of the rank that was idle longest.
  [[nodiscard]] Duration most_idle() const { return m_most_idle; }

 private:
  struct Worker {
    Duration heard{};    // of its whole idle time
    Duration counted{};  // of it, while actions waited
    TimePoint at;        // when it was heard last
  };
  std::vector<Worker> m_workers;
  bool m_some = false;
  TimePoint m_since;  // actions have waited from then on without a break
  TimePoint m_seen;
  Duration m_waited{};
  Duration m_most_idle{};
};

}  // namespace lhsm::run
