// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The coordinator's loop: once a second at most, unless the last running request ended; all records
// every loop_period, else only those behind the last position.
#include <algorithm>

#include "core/coordinator.hpp"

namespace lhsm::emulator {
namespace {

constexpr auto k_second = std::chrono::seconds(1);

TimePoint::duration seconds(std::uint64_t count) {
  // A timeout of "a month" times a scale must not overflow the clock.
  return std::chrono::seconds(std::min<std::uint64_t>(count, 1U << 31U));
}

}  // namespace

std::optional<TimePoint> Coordinator::next_tick() const {
  if (m_state != State::enabled || m_log.all().empty()) return std::nullopt;
  if (m_nudged) return m_last_wake;
  const auto due = m_last_housekeeping + seconds(settings.loop_period);
  return m_event ? std::min(m_last_wake + k_second, due) : std::max(due, m_last_wake);
}

void Coordinator::tick(TimePoint now) {
  const auto wake = next_tick();
  if (!wake || *wake > now) return;
  m_nudged = false;
  // The seconds are counted from one wake-up to the next, also while there was nothing to do.
  m_last_wake = now - m_last_wake < 2 * k_second ? now : m_last_wake + (now - m_last_wake) / k_second * k_second;

  const bool is_housekeeping = m_last_housekeeping + seconds(settings.loop_period) <= now;
  if (!is_housekeeping && !m_event) return;
  if (is_housekeeping) m_last_housekeeping = now;
  m_event = false;
  const RecordId from = is_housekeeping ? 0 : m_scan_from;

  if (is_housekeeping) housekeeping(now);
  if (m_agents.list().empty()) {
    m_scan_from = from;
    return;
  }
  const auto lists = pick(from, is_housekeeping);
  for (const auto& list : lists) {
    if (m_running.size() >= settings.max_requests) break;
    if (send(list, now) != 0) m_scan_from = from;
  }
}

void Coordinator::housekeeping(TimePoint now) {
  m_log.forget_final(now - seconds(settings.grace_delay));
  const auto timeout = seconds(settings.active_request_timeout);
  if (now <= m_oldest_update + timeout) return;
  m_oldest_update = now;
  const std::vector<RecordId> started(m_log.started().begin(), m_log.started().end());
  for (const auto id : started) {
    const Record* record = m_log.find(id);
    const auto running = m_running.find(record->cookie);
    // A CANCEL has no running entry of its own; it borrows that of its target.
    const auto last = running == m_running.end() ? record->changed : running->second.updated;
    if (now <= last + timeout || (running != m_running.end() && running->second.ending)) {
      m_oldest_update = std::min(m_oldest_update, last);
      continue;
    }
    if (record->action == abi::HSMA_RESTORE) m_restores.erase(record->fid);
    const auto cookie = record->cookie;
    m_log.update_one(id, RecordStatus::canceled, now);
    if (running != m_running.end()) {
      m_agents.count(running->second.agent, 0, 0, 1);
      remove_running(cookie);
    }
    m_event = true;
  }
}

std::vector<ActionList> Coordinator::pick(RecordId from, bool is_housekeeping) {
  std::vector<ActionList> lists;
  // A cancel needs a free slot too: with all of them busy nothing is picked at all.
  if (m_running.size() >= settings.max_requests) return lists;
  const std::size_t room = static_cast<std::size_t>(settings.max_requests) - m_running.size();
  std::size_t picked = 0;
  bool one_restore = false;
  std::unordered_map<std::uint32_t, std::size_t> open_list;  // the last list of each archive id

  for (auto it = m_log.waiting().lower_bound(from); it != m_log.waiting().end(); ++it) {
    const Record& record = *m_log.find(*it);
    const bool is_full = picked >= room;
    // Restores are too important not to send at least one per pass: it may push out the last picked.
    if (is_full && (record.action != abi::HSMA_RESTORE || one_restore)) {
      if (!is_housekeeping || one_restore) break;
      continue;
    }
    const auto open = open_list.find(record.archive_id);
    ActionList* list = open == open_list.end() ? nullptr : &lists[open->second];
    if (is_full) {
      if (list == nullptr && !is_housekeeping) break;
      if (list == nullptr) {
        picked -= lists.back().records().size();
        open_list.erase(lists.back().archive_id());
        lists.pop_back();
      } else {
        do {
          list->drop_last(m_log.find(list->records().back())->data.size());
          --picked;
        } while (!list->has_room_for(record) && !list->records().empty());
      }
    }
    if (list != nullptr && list->has_room_for(record)) {
      list->add(record);
    } else {
      open_list[record.archive_id] = lists.size();
      lists.emplace_back(m_fsname, record);
    }
    ++picked;
    one_restore = one_restore || record.action == abi::HSMA_RESTORE;
    m_scan_from = std::max(m_scan_from, record.id + 1);
  }
  return lists;
}

int Coordinator::send(const ActionList& list, TimePoint now) {
  const Agent* best = m_agents.best_for(list.archive_id());
  if (best == nullptr) {
    if (list.archive_id() == 0 && broadcast_remove(list, now)) return 0;
    return -EAGAIN;
  }
  std::string agent = best->uuid;
  std::vector<const Record*> items;
  std::vector<std::uint64_t> started;
  for (const auto id : list.records()) {
    const Record* record = m_log.find(id);
    if (record == nullptr || record->status != RecordStatus::waiting) continue;
    if (record->action == abi::HSMA_CANCEL) {
      items.push_back(record);
      continue;
    }
    if (!still_valid(*record, list.archive_id(), now)) continue;
    items.push_back(record);
    started.push_back(record->cookie);
    start(*record, agent, now);
  }
  // A cancel goes to the agent that runs its target, and takes the rest of its list along.
  for (const auto* record : items) {
    if (record->action != abi::HSMA_CANCEL) continue;
    const auto running = m_running.find(record->cookie);
    if (running == m_running.end() || running->second.ending) continue;
    running->second.canceled = true;
    agent = running->second.agent;
  }
  if (items.empty()) return 0;

  if (!m_link.deliver(agent, encode_action_list(m_fsname, list.archive_id(), list.flags(), items))) {
    m_agents.remove(agent);
    for (const auto cookie : started) remove_running(cookie);
    return -EPIPE;
  }
  for (const auto* record : items) {
    m_log.update_one(record->id, RecordStatus::started, now);
    if (record->action != abi::HSMA_CANCEL) continue;
    const Record* target = m_log.active_with(record->cookie);
    if (target == nullptr || is_ending(target->cookie)) continue;
    if (target->action == abi::HSMA_RESTORE) m_restores.erase(target->fid);
    m_log.update_one(target->id, RecordStatus::canceled, now);
  }
  return 0;
}

bool Coordinator::still_valid(const Record& record, std::uint32_t archive_id, TimePoint now) {
  auto file = m_files.view(record.fid);
  if (!file) {
    if (record.action == abi::HSMA_REMOVE) return true;
  } else if (action_is_compatible(record.action, archive_id, file->hsm)) {
    if (record.action != abi::HSMA_ARCHIVE) return true;
    // From now on an object may exist in the archive, whatever becomes of the copy.
    auto state = file->hsm;
    state.flags |= abi::HS_EXISTS;
    state.archive_id = archive_id;
    if (state == file->hsm || m_files.set_hsm(record.fid, state)) return true;
  }
  if (record.action == abi::HSMA_RESTORE) m_restores.erase(record.fid);
  m_log.update_one(record.id, RecordStatus::failed, now);
  return false;
}

void Coordinator::start(const Record& record, const std::string& agent, TimePoint now) {
  Running running;
  running.record = record.id;
  running.agent = agent;
  running.fid = running.dfid = record.fid;
  running.action = record.action;
  running.updated = now;
  m_running[record.cookie] = std::move(running);
  m_agents.count(agent, 1, 0, 0);
}

bool Coordinator::broadcast_remove(const ActionList& list, TimePoint now) {
  bool all_removes = true;
  for (const auto id : list.records()) {
    const Record* record = m_log.find(id);
    if (record->action != abi::HSMA_REMOVE) {
      all_removes = false;
      continue;
    }
    std::unordered_set<std::uint32_t> asked;
    for (const auto& agent : m_agents.list())
      for (const auto archive : agent.archives) {
        if (!asked.insert(archive).second) continue;
        Record copy = *record;
        copy.archive_id = archive;
        copy.cookie = m_next_cookie++;
        copy.changed = now;
        m_log.append(std::move(copy));
        m_event = true;
      }
    m_log.update_one(id, RecordStatus::succeed, now);
  }
  return all_removes;
}

}  // namespace lhsm::emulator
