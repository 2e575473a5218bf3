// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/job_table.hpp"

#include <algorithm>

namespace lhsm::plan {

JobRecord* JobTable::add(ActionItem item) {
  const CookieKey key{item.cookie, item.mdt_index};
  const JobId id = m_last_id + 1;
  if (!m_by_cookie.try_emplace(key, id).second) return nullptr;
  m_last_id = id;

  JobRecord& job = m_jobs[id];
  job.id = id;
  job.item = std::move(item);
  auto [lane, free] = m_lanes.try_emplace(job.item.fid);
  if (free) {
    lane->second.holder = id;
  } else {
    lane->second.waiting.push_back(id);
    job.state = JobState::waiting;
  }
  return &job;
}

JobRecord* JobTable::find(JobId id) {
  const auto it = m_jobs.find(id);
  return it != m_jobs.end() ? &it->second : nullptr;
}

const JobRecord* JobTable::find(JobId id) const {
  const auto it = m_jobs.find(id);
  return it != m_jobs.end() ? &it->second : nullptr;
}

JobRecord* JobTable::find_cookie(std::int32_t mdt_index, std::uint64_t cookie) {
  const auto it = m_by_cookie.find({cookie, mdt_index});
  return it != m_by_cookie.end() ? find(it->second) : nullptr;
}

std::optional<JobId> JobTable::erase(JobId id) {
  const auto it = m_jobs.find(id);
  if (it == m_jobs.end()) return std::nullopt;
  const ActionItem& item = it->second.item;
  m_by_cookie.erase({item.cookie, item.mdt_index});

  std::optional<JobId> next;
  // A job that left its lane holds none.
  if (const auto lane = m_lanes.find(item.fid); lane != m_lanes.end() && lane->second.holder == id) {
    auto& waiting = lane->second.waiting;
    if (waiting.empty()) {
      m_lanes.erase(lane);
    } else {
      next = lane->second.holder = waiting.front();
      waiting.erase(waiting.begin());
      m_jobs.at(*next).state = JobState::ready;
    }
  }
  m_jobs.erase(it);
  return next;
}

void JobTable::leave_lane(JobRecord& job) {
  auto& waiting = m_lanes.at(job.item.fid).waiting;
  waiting.erase(std::find(waiting.begin(), waiting.end(), job.id));
  job.state = JobState::ready;
}

}  // namespace lhsm::plan
