// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/ids.hpp"

namespace lhsm::run {

/// When actions came, without a byte for each of them: ids rise, so it is enough to know which id was the first of a span of time.
/// Spans are as long as a 64th of their age (10 ms at least), some thousand of them whatever waits. Of the actions
/// that somebody waits for it is also counted how many of each span are not over. One thread.
class ArrivalTimes {
 public:
  /// An action came; its id is greater than all before.
  void add(JobId id, bool is_waited_for, TimePoint now);
  /// It is over. Return when it came, or somewhat earlier: by a 64th of its age, or 10 ms.
  TimePoint over(JobId id, bool is_waited_for);
  /// When this one came, likewise.
  [[nodiscard]] TimePoint of(JobId id) const;

  /// Actions that somebody waits for.
  [[nodiscard]] std::uint64_t waited_for() const { return m_waited_for; }
  /// When the oldest of them came, likewise.
  [[nodiscard]] std::optional<TimePoint> oldest_waited_for() const;
  [[nodiscard]] std::size_t spans() const { return m_spans.size(); }

 private:
  struct Span {
    JobId first;
    TimePoint begin;
    std::uint64_t waited_for = 0;
  };
  [[nodiscard]] std::size_t span_of(JobId id) const;
  void thin(TimePoint now);

  std::deque<Span> m_spans;
  std::uint64_t m_waited_for = 0;
};

}  // namespace lhsm::run
