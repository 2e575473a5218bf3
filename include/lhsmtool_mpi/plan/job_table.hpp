// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/ids.hpp"

namespace lhsm::plan {

enum class JobState : std::uint8_t {
  waiting,    ///< behind another action on the same file
  ready,      ///< may be given to a worker
  assigned,   ///< a worker carries it out whole
  large,      ///< known to be over the stripe threshold, ready
  beginning,  ///< its owner was told to begin it
  copying,    ///< begun; its extents are handed out
  finishing,  ///< its owner was told to end it
  refused,    ///< only to be ended with an error; no worker has it yet
  refusing,   ///< a worker was told to end it so; needs no slot
};

struct JobRecord {
  JobId id = 0;
  ActionItem item;
  std::uint64_t size = 0;    ///< of the file, once a worker looked
  WorkerId worker = -1;      ///< who has it, or owns it
  int reject_errno = 0;      ///< not to be carried out but ended so
  JobState state = JobState::ready;
  bool sent_again = false;   ///< by a coordinator that was restarted, while a worker had it
  std::uint64_t round = 0;   ///< of keep-alive, in which it was taken in
};

/// All actions that are not final. Looks them up by id and by (MDT, cookie), and lets only one action
/// of a file run at a time: two copies of one file would mix their objects, and REMOVE must not
/// overtake ARCHIVE.
class JobTable {
 public:
  /// Take an item in: `ready`, or `waiting` when its file is busy. Nothing when an action with this
  /// cookie of this MDT is here already (a coordinator sends restores again after a restart).
  JobRecord* add(ActionItem item);
  [[nodiscard]] JobRecord* find(JobId id);
  [[nodiscard]] const JobRecord* find(JobId id) const;
  [[nodiscard]] JobRecord* find_cookie(std::int32_t mdt_index, std::uint64_t cookie);

  /// Take a final action out. Return the job that waited for its file, now `ready`, if there is one.
  std::optional<JobId> erase(JobId id);

  /// Let a waiting job go ahead of its turn: it will not touch the file. It becomes `ready`.
  void leave_lane(JobRecord& job);

  [[nodiscard]] std::size_t size() const { return m_jobs.size(); }
  [[nodiscard]] bool empty() const { return m_jobs.empty(); }

  template <class Function>
  void for_each(Function function) {
    for (auto& [id, job] : m_jobs) function(job);
  }

 private:
  struct CookieKey {
    std::uint64_t cookie;
    std::int32_t mdt_index;
    friend bool operator==(const CookieKey&, const CookieKey&) = default;
  };
  struct CookieHash {
    std::size_t operator()(const CookieKey& key) const noexcept {
      return static_cast<std::size_t>((key.cookie ^ (static_cast<std::uint64_t>(key.mdt_index) << 48U)) *
                                      0x9e3779b97f4a7c15ULL);
    }
  };
  struct Lane {
    JobId holder = 0;
    std::vector<JobId> waiting;  // first come, first served
  };

  JobId m_last_id = 0;
  std::unordered_map<JobId, JobRecord> m_jobs;
  std::unordered_map<CookieKey, JobId, CookieHash> m_by_cookie;
  std::unordered_map<Fid, Lane> m_lanes;
};

}  // namespace lhsm::plan
