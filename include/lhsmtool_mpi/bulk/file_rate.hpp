// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "lhsmtool_mpi/base/clock.hpp"

namespace lhsm::bulk {

/// How many files a second a job takes up: a bucket that holds a tenth of a second's, or one. Pure.
class FileRate {
 public:
  /// 0: no limit. What is in the bucket stays, as far as it has room.
  void set(std::uint64_t per_second, TimePoint now) {
    fill(now);
    m_rate = static_cast<double>(per_second);
    m_level = std::min(m_level, room());
  }
  [[nodiscard]] bool is_limited() const { return m_rate > 0; }
  /// Return how many may be taken up now, at most `most`.
  [[nodiscard]] std::size_t available(TimePoint now, std::size_t most) {
    if (!is_limited()) return most;
    fill(now);
    return std::min(most, static_cast<std::size_t>(m_level));
  }
  /// So many are taken up; no more than available().
  void take(std::size_t count) {
    if (is_limited()) m_level -= static_cast<double>(count);
  }
  /// Return when one more may be taken up, when there is a limit and none may now.
  [[nodiscard]] TimePoint due() const {
    const std::chrono::duration<double> missing((1 - std::min(m_level, 1.0)) / m_rate);
    return m_filled + std::chrono::duration_cast<Duration>(missing) + std::chrono::microseconds(1);
  }

 private:
  [[nodiscard]] double room() const { return std::max(1.0, m_rate / 10); }
  void fill(TimePoint now) {
    if (now <= m_filled) return;
    if (is_limited()) m_level = std::min(m_level + m_rate * std::chrono::duration<double>(now - m_filled).count(), room());
    m_filled = now;
  }

  double m_rate = 0;
  double m_level = 1;
  TimePoint m_filled{};
};

}  // namespace lhsm::bulk
