// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/arrival_times.hpp"

#include <algorithm>

namespace lhsm::run {

namespace {

constexpr Duration k_shortest = std::chrono::milliseconds(10);
constexpr int k_part_of_age = 64;
// After thinning there are at most 2 x 64 for each power of e of the age: 2000 after a month.
constexpr std::size_t k_most_spans = 4096;

}  // namespace

void ArrivalTimes::add(JobId id, bool is_waited_for, TimePoint now) {
  if (m_spans.empty() || now - m_spans.back().begin >= k_shortest) {
    if (m_spans.size() >= k_most_spans) thin(now);
    m_spans.push_back({id, now});
  }
  if (!is_waited_for) return;
  ++m_spans.back().waited_for;
  ++m_waited_for;
}

std::size_t ArrivalTimes::span_of(JobId id) const {
  const auto after = std::upper_bound(m_spans.begin(), m_spans.end(), id,
                                      [](JobId wanted, const Span& span) { return wanted < span.first; });
  return after == m_spans.begin() ? 0 : static_cast<std::size_t>(after - m_spans.begin()) - 1;
}

TimePoint ArrivalTimes::of(JobId id) const { return m_spans.empty() ? TimePoint{} : m_spans[span_of(id)].begin; }

TimePoint ArrivalTimes::over(JobId id, bool is_waited_for) {
  if (m_spans.empty()) return {};
  Span& span = m_spans[span_of(id)];
  if (is_waited_for && span.waited_for > 0) {
    --span.waited_for;
    --m_waited_for;
  }
  return span.begin;
}

std::optional<TimePoint> ArrivalTimes::oldest_waited_for() const {
  const auto oldest = std::find_if(m_spans.begin(), m_spans.end(), [](const Span& span) { return span.waited_for > 0; });
  if (oldest == m_spans.end()) return std::nullopt;
  return oldest->begin;
}

/// Join spans that are short for their age.
void ArrivalTimes::thin(TimePoint now) {
  std::deque<Span> kept;
  for (auto at = m_spans.begin(); at != m_spans.end(); ++at) {
    const Span& span = *at;
    const TimePoint end = at + 1 != m_spans.end() ? (at + 1)->begin : now;
    const bool joins =
        !kept.empty() && end - kept.back().begin <= std::max<Duration>(k_shortest, (now - end) / k_part_of_age);
    if (joins)
      kept.back().waited_for += span.waited_for;
    else
      kept.push_back(span);
  }
  m_spans = std::move(kept);
}

}  // namespace lhsm::run
