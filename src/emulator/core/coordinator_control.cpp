// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The coordinator as a whole: hsm_control, restarts, and what an earlier run left.
#include <algorithm>

#include "core/coordinator.hpp"

namespace lhsm::emulator {

int Coordinator::control(std::string_view word, TimePoint now) {
  if (word == "enabled") {
    if (m_state == State::stopped) {
      settings.reset_at_start();
      resume(now);
    }
    m_state = State::enabled;
    m_event = true;
    return 0;
  }
  if (word == "disabled") {
    if (m_state == State::stopped) return -EINVAL;
    m_state = State::disabled;
    return 0;
  }
  if (word == "shutdown") {
    m_state = State::stopped;
    m_agents.clear();
    m_running.clear();
    m_restores.clear();
    return 0;
  }
  if (word == "purge") {
    if (m_state == State::stopped) return -EINVAL;
    purge(now);
    return 0;
  }
  return -EINVAL;
}

void Coordinator::purge(TimePoint now) {
  for (const auto& [cookie, running] : m_running) {
    const Record* record = m_log.find(running.record);
    if (record == nullptr) continue;
    Record cancel = *record;
    cancel.action = abi::HSMA_CANCEL;
    // A dead agent is found at the next send; its requests are cancelled below all the same.
    std::ignore =
        m_link.deliver(running.agent, encode_action_list(m_fsname, record->archive_id, record->flags, {&cancel}));
  }
  std::vector<RecordId> open(m_log.waiting().begin(), m_log.waiting().end());
  open.insert(open.end(), m_log.started().begin(), m_log.started().end());
  for (const auto id : open) {
    m_restores.erase(m_log.find(id)->fid);
    m_log.update_one(id, RecordStatus::canceled, now);
  }
}

void Coordinator::resume(TimePoint now) {
  for (const auto id : std::vector<RecordId>(m_log.started().begin(), m_log.started().end()))
    if (m_log.find(id)->action == abi::HSMA_RESTORE) m_log.update_one(id, RecordStatus::waiting, now);
  for (const auto id : m_log.waiting())
    if (const Record* record = m_log.find(id); record->action == abi::HSMA_RESTORE) m_restores.insert(record->fid);
  m_scan_from = 0;
  m_event = true;
}

void Coordinator::restart(TimePoint now) {
  m_running.clear();
  m_restores.clear();
  m_nudged = false;
  m_agents.forget_requests();
  settings.reset_at_start();
  if (m_state == State::stopped) return;
  m_state = State::enabled;
  resume(now);
}

void Coordinator::recover(std::vector<Record> records, TimePoint now) {
  for (auto& record : records) {
    m_next_cookie = std::max(m_next_cookie, record.cookie + 1);
    m_oldest_update = std::min(m_oldest_update, record.changed);
    m_log.restore(std::move(record));
  }
  resume(now);
}

}  // namespace lhsm::emulator
