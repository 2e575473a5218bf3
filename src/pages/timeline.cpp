// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/pages/timeline.hpp"

#include <algorithm>
#include <cmath>

namespace lhsm::pages {

namespace {

constexpr double k_fewest_bins = 24;

}  // namespace

Timeline::Timeline(std::vector<Span> spans) : m_spans(std::move(spans)) {
  for (const Span& span : m_spans) {
    m_before.push_back(m_length_ns);
    m_length_ns += span.end_ns - span.begin_ns;
  }
  if (m_length_ns <= 0) {
    m_spans.clear();
    m_length_ns = 0;
    return;
  }
  m_bins.resize(static_cast<std::size_t>(std::clamp(std::round(seconds()), k_fewest_bins, double{k_most_bins})));
}

/// Return the last span that begins before a moment; spans().size() when none does.
std::size_t Timeline::span_at(std::int64_t time_ns) const {
  const auto after = std::upper_bound(m_spans.begin(), m_spans.end(), time_ns,
                                      [](std::int64_t time, const Span& span) { return time < span.begin_ns; });
  return after == m_spans.begin() ? m_spans.size() : static_cast<std::size_t>(after - m_spans.begin()) - 1;
}

/// Return how much of the spans lies before a moment.
std::int64_t Timeline::place(std::int64_t time_ns) const {
  const std::size_t span = span_at(time_ns);
  if (span == m_spans.size()) return 0;
  return m_before[span] + std::min(time_ns, m_spans[span].end_ns) - m_spans[span].begin_ns;
}

std::size_t Timeline::bin_of(std::int64_t time_ns) const {
  const std::size_t span = span_at(time_ns);
  if (span == m_spans.size() || time_ns > m_spans[span].end_ns) return m_bins.size();
  const double at = static_cast<double>(place(time_ns)) / static_cast<double>(m_length_ns);
  return std::min(static_cast<std::size_t>(at * static_cast<double>(m_bins.size())), m_bins.size() - 1);
}

void Timeline::spread(std::int64_t begin_ns, std::int64_t end_ns,
                      const std::function<void(std::size_t, double)>& visit) const {
  if (m_bins.empty()) return;
  const auto count = static_cast<double>(m_bins.size());
  const double scale = count / static_cast<double>(m_length_ns);
  const double begin = static_cast<double>(place(begin_ns)) * scale;
  const double end = static_cast<double>(place(end_ns)) * scale;
  if (end <= begin) {  // a moment, or nothing in a span
    if (const std::size_t bin = bin_of(end_ns); bin < m_bins.size()) visit(bin, 1);
    return;
  }
  for (auto bin = static_cast<std::size_t>(begin); bin < m_bins.size() && static_cast<double>(bin) < end; ++bin) {
    const double from = std::max(begin, static_cast<double>(bin));
    const double to = std::min(end, static_cast<double>(bin + 1));
    if (to > from) visit(bin, (to - from) / (end - begin));
  }
}

}  // namespace lhsm::pages
