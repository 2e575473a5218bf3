// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/deadline_watch.hpp"

#include <algorithm>

namespace lhsm::bulk {

namespace {

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

DeadlineWatch::Verdict DeadlineWatch::judge(std::uint64_t size, TimePoint now) const {
  if (!m_options.stop_at) return Verdict::fits;
  if (has_come(now)) return Verdict::late;
  if (m_items_done == 0) return Verdict::fits;
  const double left = seconds(*m_options.stop_at - now);
  const double passed = std::max(seconds(now - *m_first), 1e-3);
  // One large file among small ones is copied faster than they were, so its own best speed counts, too.
  const double bytes_per_second = std::max(static_cast<double>(m_bytes_done) / passed, m_best);
  if (bytes_per_second > 0 && static_cast<double>(size) / bytes_per_second > left) return Verdict::late;
  if (m_items == 0) return Verdict::fits;
  // What is under way comes first: so many items, or so many bytes, whichever takes longer.
  if (static_cast<double>(m_items + 1) * passed / static_cast<double>(m_items_done) > left) return Verdict::wait;
  if (bytes_per_second > 0 && static_cast<double>(m_bytes + size) / bytes_per_second > left) return Verdict::wait;
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
  if (took > Duration::zero()) m_best = std::max(m_best, static_cast<double>(size) / seconds(took));
}

}  // namespace lhsm::bulk
