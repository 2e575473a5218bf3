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
    forget_running();
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
    const Record* record = m_log.find(id);
    if (is_ending(record->cookie)) continue;
    m_restores.erase(record->fid);
    m_log.update_one(id, RecordStatus::canceled, now);
  }
}

bool Coordinator::is_ending(std::uint64_t cookie) const {
  const auto it = m_running.find(cookie);
  return it != m_running.end() && it->second.ending;
}

/// What is being swapped in stays: a second attempt at it would mix the data of the two.
void Coordinator::forget_running() {
  std::erase_if(m_running, [](const auto& entry) { return !entry.second.ending; });
  m_restores.clear();
  for (const auto& [cookie, running] : m_running) m_restores.insert(running.fid);
}

void Coordinator::resume(TimePoint now) {
  for (const auto id : std::vector<RecordId>(m_log.started().begin(), m_log.started().end()))
    if (const Record* record = m_log.find(id); record->action == abi::HSMA_RESTORE && !is_ending(record->cookie))
      m_log.update_one(id, RecordStatus::waiting, now);
  for (const auto id : m_log.waiting())
    if (const Record* record = m_log.find(id); record->action == abi::HSMA_RESTORE) m_restores.insert(record->fid);
  m_scan_from = 0;
  m_event = true;
}

void Coordinator::restart(TimePoint now) {
  forget_running();
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
