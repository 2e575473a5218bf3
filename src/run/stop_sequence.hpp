// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>

#include "lhsmtool_mpi/base/clock.hpp"

namespace lhsm::run {

/// How far a stop has come. It goes on by itself after some time, and at once when it is asked for again. As long as actions end it
/// does not give up: many that wait take their time, an RPC each.
class StopSequence {
 public:
  enum class Step { wait, drain, stop_running, give_up };

  explicit StopSequence(Duration drain_timeout) : m_drain_timeout(drain_timeout) {}

  /// Return what is to be done now, each step once and in their order; after give_up there is none. `asked`
  /// is how often a stop was asked for, `unfinished` how many actions have no end yet.
  [[nodiscard]] Step next(int asked, std::size_t unfinished, TimePoint now) {
    if (m_done == 2 && unfinished < m_unfinished) m_deadline = now + k_grace;
    m_unfinished = unfinished;
    if (m_done == 0 && asked == 0) return Step::wait;
    if (m_done > 0 && asked <= m_done && now < m_deadline) return Step::wait;
    if (m_done == 3) return Step::wait;
    m_deadline = now + (m_done == 0 ? m_drain_timeout : k_grace);
    constexpr Step k_steps[] = {Step::drain, Step::stop_running, Step::give_up};
    return k_steps[m_done++];
  }

 private:
  static constexpr Duration k_grace = std::chrono::seconds(30);  // one buffer, one sync, one end

  Duration m_drain_timeout;
  TimePoint m_deadline{};
  std::size_t m_unfinished = 0;
  int m_done = 0;  // steps
};

}  // namespace lhsm::run
