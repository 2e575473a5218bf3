// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/plan/slot_index.hpp"

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
  JobId id = 0;              ///< 0: this place in the table is free
  ActionItem item;
  std::uint64_t size = 0;    ///< of the file, once a worker looked
  WorkerId worker = -1;      ///< who has it, or owns it
  int reject_errno = 0;      ///< not to be carried out but ended so
  std::uint32_t round = 0;   ///< of keep-alive, in which it was taken in
  JobState state = JobState::ready;
  bool is_bulk = false;      ///< goes behind all that are not
  bool sent_again = false;   ///< by a coordinator that was restarted, since a worker got it, or while it waits

 private:
  friend class JobTable;
  // The ring of a file's actions in their order, from the one that may run on; of a free place the
  // next free one.
  std::uint32_t next = 0;
  std::uint32_t before = 0;
};

/// All actions that are not final. Looks them up by id and by (MDT, cookie), and lets only one action
/// of a file run at a time: two copies of one file would mix their objects, and REMOVE must not
/// overtake ARCHIVE. What left its lane does not count. Every operation takes constant time unless it says otherwise. Millions may wait here, so the
/// records are not nodes of a map, and nothing of them is kept twice: 200 to 250 bytes each.
class JobTable {
 public:
  /// Take an item in: `ready`, or `waiting` when its file is busy. Nothing when an action with this
  /// cookie of this MDT is here already (a coordinator sends restores again after a restart). The record
  /// stays where it is until it is erased.
  JobRecord* add(ActionItem item);
  [[nodiscard]] JobRecord* find(JobId id);
  [[nodiscard]] const JobRecord* find(JobId id) const;
  [[nodiscard]] JobRecord* find_cookie(std::int32_t mdt_index, std::uint64_t cookie);

  /// Take a final action out. Return the job that waited for its file, now `ready`, if there is one.
  /// Its item must still have the file, cookie and MDT with which it came.
  std::optional<JobId> erase(JobId id);

  /// Whether all that a waiting job waits for are archives. Takes as long as they are many.
  [[nodiscard]] bool waits_for_archives_only(const JobRecord& job) const;
  /// Let a waiting job go ahead of its turn. It becomes `ready`.
  void leave_lane(JobRecord& job);

  [[nodiscard]] std::size_t size() const { return m_size; }
  [[nodiscard]] bool empty() const { return m_size == 0; }

  template <class Function>
  void for_each(Function function) {
    for (JobRecord& job : m_records)
      if (job.id != 0) function(job);
  }

 private:
  using Slot = SlotIndex::Slot;
  // An id is a number that counts up, and below it the record's place: it is found without a search, and
  // no later job of that place has it. Ids rise in the order in which jobs come.
  static constexpr unsigned k_slot_bits = 28;
  static constexpr Slot k_no_slot = (Slot{1} << k_slot_bits) - 1;
  static Slot slot_of(JobId id) { return static_cast<Slot>(id & k_no_slot); }

  [[nodiscard]] std::optional<Slot> slot_of_cookie(std::int32_t mdt_index, std::uint64_t cookie) const;
  [[nodiscard]] std::optional<Slot> holder_of(const Fid& fid) const;
  Slot take_slot();
  void unlink(JobRecord& job);

  std::uint64_t m_last_number = 0;
  std::size_t m_size = 0;
  std::deque<JobRecord> m_records;
  Slot m_first_free = k_no_slot;
  SlotIndex m_by_cookie;
  SlotIndex m_holders;  // by file, of its actions the one that may run
};

}  // namespace lhsm::plan
