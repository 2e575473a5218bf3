// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include "core/coordinator.hpp"

namespace lhsm::emulator {

Coordinator::Coordinator(std::string fsname, Files& files, AgentLink& link, std::uint64_t first_cookie, TimePoint now)
    : m_fsname(std::move(fsname)),
      m_files(files),
      m_link(link),
      m_next_cookie(first_cookie),
      m_last_wake(now),
      m_last_housekeeping(now),
      m_oldest_update(now) {}

int Coordinator::submit(const Request& request, const Caller& caller, TimePoint now) {
  if (m_state == State::stopped) return -EAGAIN;
  if (request.items.empty()) return -EINVAL;
  switch (request.action) {
    case abi::HSMA_ARCHIVE:
    case abi::HSMA_RESTORE:
    case abi::HSMA_REMOVE:
    case abi::HSMA_CANCEL: break;
    default: return -EINVAL;
  }
  for (const auto& item : request.items)
    if (item.fid.seq == 0 || item.fid.oid == 0) return -EINVAL;

  std::unordered_set<Fid> seen;
  for (const auto& item : request.items) {
    if (!seen.insert(item.fid).second) continue;
    // A refused item ends the list without an event: what was recorded waits for housekeeping.
    if (const int rc = record_item(request, item, caller, now); rc != 0) return rc;
  }
  m_event = true;
  const bool deferred = request.action == abi::HSMA_RESTORE && (settings.policy & POLICY_NON_BLOCKING_RESTORE) != 0;
  return deferred ? -ENODATA : 0;
}

int Coordinator::record_item(const Request& request, const RequestItem& item, const Caller& caller, TimePoint now) {
  Record record;
  record.action = request.action;
  record.archive_id = request.archive_id;
  record.flags = request.flags;
  record.fid = item.fid;
  record.extent = item.extent;
  record.data = request.data;
  record.changed = now;

  if (request.action == abi::HSMA_CANCEL) {
    const Record* target = m_log.last_active_of(item.fid);
    if (target == nullptr) return 0;
    record.cookie = target->cookie;
    if (record.archive_id == 0) record.archive_id = target->archive_id;
  }

  const auto file = m_files.view(item.fid);
  if (!file) {
    const bool may_be_missing = request.action == abi::HSMA_REMOVE || request.action == abi::HSMA_CANCEL;
    if (!may_be_missing || !caller.is_admin()) return -file.error().sys_errno;
  } else {
    if (const int rc = check_permission(*file, caller, request.action); rc != 0) return rc;
    if (request.action != abi::HSMA_CANCEL) {
      if (!action_is_needed(request.action, request.flags, file->hsm)) return 0;
      if (!action_is_compatible(request.action, request.archive_id, file->hsm)) return -EPERM;
      if (record.archive_id == 0) {
        record.archive_id = file->hsm.archive_id;
        if (record.archive_id == 0) record.archive_id = static_cast<std::uint32_t>(settings.default_archive_id);
      }
    }
  }
  if (request.action == abi::HSMA_RESTORE) {
    if (item.extent.offset != 0) return -EPROTO;
    if (!m_restores.insert(item.fid).second) return 0;
  }
  if (record.cookie == 0) record.cookie = m_next_cookie++;
  m_log.append(std::move(record));
  return 0;
}

int Coordinator::check_permission(const FileView& file, const Caller& caller, std::uint32_t action) const {
  if (caller.is_admin()) return 0;
  auto mask = settings.other_request_mask;
  if (caller.uid == file.uid)
    mask = settings.user_request_mask;
  else if (std::find(caller.gids.begin(), caller.gids.end(), file.gid) != caller.gids.end())
    mask = settings.group_request_mask;
  return ((mask >> action) & 1U) != 0 ? 0 : -EPERM;
}

int Coordinator::register_agent(std::string_view uuid, std::span<const std::uint32_t> archives) {
  if (m_state == State::stopped) return -ENXIO;
  m_agents.add(uuid, archives);
  m_event = true;
  return 0;
}

void Coordinator::unregister_agent(std::string_view uuid) { m_agents.remove(uuid); }

CurrentAction Coordinator::current_action(const Fid& fid) const {
  CurrentAction current;
  const Record* record = m_log.active_of(fid);
  if (record == nullptr) return current;
  switch (record->action) {
    case abi::HSMA_ARCHIVE: current.action = abi::HUA_ARCHIVE; break;
    case abi::HSMA_RESTORE: current.action = abi::HUA_RESTORE; break;
    default: current.action = abi::HUA_REMOVE; break;
  }
  current.extent = record->extent;
  current.state = record->status == RecordStatus::waiting ? abi::HPS_WAITING : abi::HPS_RUNNING;
  if (record->status == RecordStatus::started)
    if (const auto it = m_running.find(record->cookie); it != m_running.end())
      current.extent.length = it->second.done.total();
  return current;
}

std::size_t Coordinator::running_of(std::uint32_t action) const {
  return static_cast<std::size_t>(std::count_if(m_running.begin(), m_running.end(),
                                                [action](const auto& entry) { return entry.second.action == action; }));
}

}  // namespace lhsm::emulator
