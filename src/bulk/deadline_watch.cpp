// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/deadline_watch.hpp"

#include <algorithm>

namespace lhsm::bulk {

namespace {

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

/// No more than so long, as far as was measured: 0 where it was not.
double DeadlineWatch::seconds_of(std::uint64_t bytes, double passed) const {
  if (!m_has_telling) return 0;
  // One large file among small ones is copied faster than they were, so its own best speed counts, too.
  const double bytes_per_second = std::max(static_cast<double>(m_bytes_done) / passed, m_best);
  return static_cast<double>(bytes) / bytes_per_second;
}

DeadlineWatch::Verdict DeadlineWatch::judge(std::uint64_t size, TimePoint now) const {
  if (!m_options.stop_at) return Verdict::fits;
  if (has_come(now)) return Verdict::late;
  if (m_items_done == 0) return Verdict::fits;
  const double left = seconds(*m_options.stop_at - now);
  const double passed = std::max(seconds(now - *m_first), 1e-3);
  if (seconds_of(size, passed) > left) return Verdict::late;
  if (m_items == 0) return Verdict::fits;
  // What is under way comes first: so many items, or so many bytes, whichever takes longer.
  if (static_cast<double>(m_items + 1) * passed / static_cast<double>(m_items_done) > left) return Verdict::wait;
  if (seconds_of(m_bytes + size, passed) > left) return Verdict::wait;
  return Verdict::fits;
}

void DeadlineWatch::begun(std::uint64_t size, TimePoint now) {
  if (!m_first) m_first = now;
  ++m_items;
  m_bytes += size;
}

void DeadlineWatch::over(std::uint64_t size) {
  m_items -= std::min<std::uint64_t>(m_items, 1);
  m_bytes -= std::min(m_bytes, size);
}

void DeadlineWatch::succeeded(std::uint64_t size, Duration took) {
  ++m_items_done;
  m_bytes_done += size;
  if (size < k_telling_size) return;
  m_has_telling = true;
  if (took > Duration::zero()) m_best = std::max(m_best, static_cast<double>(size) / seconds(took));
}

}  // namespace lhsm::bulk
