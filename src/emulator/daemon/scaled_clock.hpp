// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>

#include "lhsmtool_mpi/base/clock.hpp"

namespace lhsm::emulator {

/// The coordinators' time: it runs `scale` times as fast as the real one. The only place that knows.
class ScaledClock final : public Clock {
 public:
  explicit ScaledClock(double scale) : m_scale(scale), m_start(RealClock().now()) {}

  [[nodiscard]] TimePoint now() const override { return m_start + scaled(RealClock().now() - m_start, m_scale); }

  /// Return how long to wait, really, until a scaled point in time; never less than zero.
  [[nodiscard]] std::chrono::nanoseconds until(TimePoint scaled_point) const {
    const auto left = scaled(scaled_point - now(), 1 / m_scale);
    return left.count() > 0 ? std::chrono::nanoseconds(left) : std::chrono::nanoseconds(0);
  }

 private:
  static Duration scaled(Duration duration, double factor) {
    return Duration(static_cast<Duration::rep>(static_cast<double>(duration.count()) * factor));
  }

  double m_scale;
  TimePoint m_start;
};

}  // namespace lhsm::emulator
