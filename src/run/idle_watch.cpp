// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/idle_watch.hpp"

#include <algorithm>

namespace lhsm::run {

void IdleWatch::waiting(bool some, TimePoint now) {
  if (m_some && some) m_waited += now - m_seen;
  if (some && !m_some) m_since = now;
  m_some = some;
  m_seen = now;
}

void IdleWatch::heard(WorkerId id, Duration idle, TimePoint now) {
  Worker& worker = m_workers.at(static_cast<std::size_t>(id));
  // What it says may reach back to before anything waited.
  const Duration shared = m_some ? now - std::max(m_since, worker.at) : Duration::zero();
  worker.counted += std::clamp(idle - worker.heard, Duration::zero(), shared);
  worker.heard = idle;
  worker.at = now;
  m_most_idle = std::max(m_most_idle, worker.counted);
}

}  // namespace lhsm::run
