// SPDX-License-Identifier: LGPL-2.1-or-later
// What a job begins, passes over and judges anew before its deadline.
#include "lhsmtool_mpi/bulk/job.hpp"

namespace lhsm::bulk {

namespace {

/// Files that are judged late are kept for another look: a few large ones, where it matters, and not millions in the last minute.
constexpr std::size_t k_most_passed_over = 10'000;

}  // namespace

/// Take a row off if it would end before the deadline; pass it over, for the next run, if not. Return false when it has to stay
/// until something of what is in flight has ended.
bool Job::take_off_in_time(const Row& row, std::vector<Row>& batch) {
  const TimePoint now = m_clock.now();
  const std::uint64_t size = bytes_to_move(row);
  switch (m_deadline.judge(size, now)) {
    case DeadlineWatch::Verdict::wait: return false;
    case DeadlineWatch::Verdict::late: pass_over(row); return true;
    case DeadlineWatch::Verdict::fits: break;
  }
  m_deadline.begun(size, now);
  take_off(row, batch);
  return true;
}

/// Leave a row to the next run, unless it turns out in the end that there is time for it.
void Job::pass_over(const Row& row) {
  ++m_progress.left_for_later;
  m_source.over(row);
  if (m_passed_over.size() >= k_most_passed_over) return;
  m_passed_over.push_back(row);
  m_passed_over.back().group = k_no_group;  // the source has heard of its end
}

/// Where nothing else is left: whether more is measured than when files were passed over. They are to be taken again then.
bool Job::judges_anew() {
  if (m_passed_over.empty() || m_successes == m_judged_with || !m_progress.stopped_because.empty() || m_progress.broken) return false;
  m_judged_with = m_successes;
  for (const Row& row : m_passed_over) m_buckets[row.mdt_index].push_back(row);
  m_in_buckets += m_passed_over.size();
  m_progress.left_for_later -= m_passed_over.size();
  m_passed_over.clear();
  m_changed.notify_all();
  return true;
}

void Job::stop_at_deadline() {
  if (m_deadline.has_come(m_clock.now())) stop_locked("the deadline is near");
}

}  // namespace lhsm::bulk
