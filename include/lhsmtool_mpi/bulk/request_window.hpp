// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <cstddef>

namespace lhsm::bulk {

/// How many requests may be at the coordinator at once. As many again should wait as it has ever been seen to run,
/// so that it finds a full pass of them whenever it looks (once a second, facts 4.1); more would only lengthen its
/// list, which it reads again and again, and in which cancels stand behind them.
class RequestWindow {
 public:
  /// At most `most`; `least` besides what was seen.
  explicit RequestWindow(std::size_t most, std::size_t least = 102) : m_most(std::max<std::size_t>(most, 1)), m_least(least) {}

  /// So many of our requests are running now.
  void saw_running(std::size_t count) { m_peak = std::max(m_peak, count); }
  [[nodiscard]] std::size_t limit() const { return std::min(m_most, 2 * m_peak + m_least); }

 private:
  std::size_t m_most;
  std::size_t m_least;
  std::size_t m_peak = 0;
};

}  // namespace lhsm::bulk
