// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/job_table.hpp"

#include <cassert>
#include <functional>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::plan {

namespace {

std::size_t hash_of(std::int32_t mdt_index, std::uint64_t cookie) {
  return (cookie ^ (static_cast<std::uint64_t>(mdt_index) << 48U)) * 0x9e3779b97f4a7c15ULL;
}

std::size_t hash_of(const Fid& fid) { return std::hash<Fid>()(fid); }

}  // namespace

std::optional<JobTable::Slot> JobTable::slot_of_cookie(std::int32_t mdt_index, std::uint64_t cookie) const {
  return m_by_cookie.find(hash_of(mdt_index, cookie), [&](Slot slot) {
    const ActionItem& item = m_records[slot].item;
    return item.cookie == cookie && item.mdt_index == mdt_index;
  });
}

std::optional<JobTable::Slot> JobTable::holder_of(const Fid& fid) const {
  return m_holders.find(hash_of(fid), [&](Slot slot) { return m_records[slot].item.fid == fid; });
}

JobTable::Slot JobTable::take_slot() {
  if (m_first_free != k_no_slot) {
    const Slot slot = m_first_free;
    m_first_free = m_records[slot].next;
    return slot;
  }
  if (m_records.size() >= k_no_slot) throw Fatal("more actions wait than can be counted");
  m_records.emplace_back();
  return static_cast<Slot>(m_records.size() - 1);
}

JobRecord* JobTable::add(ActionItem item) {
  if (slot_of_cookie(item.mdt_index, item.cookie)) return nullptr;
  const std::optional<Slot> holder = holder_of(item.fid);
  const Slot slot = take_slot();
  JobRecord& job = m_records[slot];
  job = {};
  job.id = (++m_last_number << k_slot_bits) | slot;
  job.item = std::move(item);
  job.next = job.before = slot;
  m_by_cookie.insert(hash_of(job.item.mdt_index, job.item.cookie), slot);
  if (holder) {
    job.next = *holder;
    job.before = m_records[*holder].before;
    m_records[job.before].next = m_records[job.next].before = slot;
    job.state = JobState::waiting;
  } else {
    m_holders.insert(hash_of(job.item.fid), slot);
  }
  ++m_size;
  return &job;
}

JobRecord* JobTable::find(JobId id) {
  const Slot slot = slot_of(id);
  if (slot >= m_records.size() || id == 0) return nullptr;
  JobRecord& job = m_records[slot];
  return job.id == id ? &job : nullptr;
}

const JobRecord* JobTable::find(JobId id) const { return const_cast<JobTable*>(this)->find(id); }

JobRecord* JobTable::find_cookie(std::int32_t mdt_index, std::uint64_t cookie) {
  const auto slot = slot_of_cookie(mdt_index, cookie);
  return slot ? &m_records[*slot] : nullptr;
}

void JobTable::unlink(JobRecord& job) {
  m_records[job.before].next = job.next;
  m_records[job.next].before = job.before;
  job.next = job.before = slot_of(job.id);
}

std::optional<JobId> JobTable::erase(JobId id) {
  JobRecord* const job = find(id);
  if (job == nullptr) return std::nullopt;
  const Slot slot = slot_of(id);
  const ActionItem& item = job->item;
  m_by_cookie.erase(hash_of(item.mdt_index, item.cookie), slot);

  std::optional<JobId> successor;
  // A job that left its lane holds none.
  if (holder_of(item.fid) == slot) {
    if (const Slot next = job->next; next == slot) {
      m_holders.erase(hash_of(item.fid), slot);
    } else {
      m_holders.replace(hash_of(item.fid), slot, next);
      m_records[next].state = JobState::ready;
      successor = m_records[next].id;
    }
  }
  unlink(*job);
  *job = {};
  job->next = m_first_free;
  m_first_free = slot;
  if (--m_size == 0) {
    // After a flood the memory goes back.
    m_records.clear();
    m_by_cookie.clear();
    m_holders.clear();
    m_first_free = k_no_slot;
  }
  return successor;
}

bool JobTable::waits_for_archives_only(const JobRecord& job) const {
  const Slot own = slot_of(job.id);
  const std::optional<Slot> holder = holder_of(job.item.fid);
  for (Slot slot = holder.value_or(own); slot != own; slot = m_records[slot].next)
    if (m_records[slot].item.kind != ActionKind::archive) return false;
  return true;
}

void JobTable::leave_lane(JobRecord& job) {
  assert(job.state == JobState::waiting);
  unlink(job);
  job.state = JobState::ready;
}

}  // namespace lhsm::plan
