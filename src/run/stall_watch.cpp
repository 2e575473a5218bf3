// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/stall_watch.hpp"

#include <utility>

namespace lhsm::run {

std::vector<RunningFile> StallWatch::stalled(const std::vector<RunningFile>& files, TimePoint now) {
  std::vector<RunningFile> found;
  std::map<Key, Copy> copies;
  for (const RunningFile& file : files) {
    if (file.is_striped && file.extents_running == 0 && file.done < file.size) continue;  // it waits for slots
    Copy copy{file.done, now, false};
    const Key key{file.fid, file.kind};
    if (const auto before = m_copies.find(key); before != m_copies.end() && before->second.done == file.done)
      copy = before->second;
    if (!copy.is_told && now - copy.since >= k_copy_patience) {
      copy.is_told = true;
      found.push_back(file);
    }
    copies.insert_or_assign(key, copy);
  }
  m_copies = std::move(copies);
  return found;
}

bool StallWatch::heard(WorkerId worker, TimePoint now) {
  return std::exchange(m_workers.at(static_cast<std::size_t>(worker)), Worker{now, false}).is_told;
}

std::vector<WorkerId> StallWatch::silent(TimePoint now) {
  std::vector<WorkerId> found;
  for (std::size_t i = 0; i < m_workers.size(); ++i) {
    if (m_workers[i].is_told || now - m_workers[i].heard < k_rank_patience) continue;
    m_workers[i].is_told = true;
    found.push_back(static_cast<WorkerId>(i));
  }
  return found;
}

void StallWatch::rest(TimePoint now) {
  for (Worker& worker : m_workers)
    if (!worker.is_told) worker.heard = now;
}

}  // namespace lhsm::run
