// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/request_log.hpp"

namespace lhsm::emulator {
namespace {

template <class Map, class Key>
void drop(Map& map, const Key& key, RecordId id) {
  const auto it = map.find(key);
  if (it == map.end()) return;
  std::erase(it->second, id);
  if (it->second.empty()) map.erase(it);
}

}  // namespace

const Record& RequestLog::append(Record record) {
  record.id = m_next;
  record.status = RecordStatus::waiting;
  const Record& entered = enter(std::move(record));
  on_change(entered);
  return entered;
}

void RequestLog::restore(Record record) { enter(std::move(record)); }

const Record& RequestLog::enter(Record record) {
  const auto id = record.id;
  m_next = id + 1;
  if (is_final(record.status)) {
    m_final.emplace(record.changed, id);
  } else {
    auto& ids = record.status == RecordStatus::waiting ? m_waiting : m_started;
    ids.insert(ids.end(), id);
    m_open_by_cookie[record.cookie].push_back(id);
    if (record.action != abi::HSMA_CANCEL) m_open_by_fid[record.fid].push_back(id);
  }
  return m_records.emplace_hint(m_records.end(), id, std::move(record))->second;
}

const Record* RequestLog::find(RecordId id) const {
  const auto it = m_records.find(id);
  return it == m_records.end() ? nullptr : &it->second;
}

void RequestLog::change(Record& record, RecordStatus status, TimePoint now) {
  if (is_final(record.status)) return;
  record.changed = now;
  if (record.status == status) return;
  (record.status == RecordStatus::waiting ? m_waiting : m_started).erase(record.id);
  record.status = status;
  if (status == RecordStatus::waiting) {
    m_waiting.insert(record.id);
  } else if (status == RecordStatus::started) {
    m_started.insert(record.id);
  } else {
    m_final.emplace(now, record.id);
    drop(m_open_by_cookie, record.cookie, record.id);
    drop(m_open_by_fid, record.fid, record.id);
  }
  on_change(record);
}

void RequestLog::update(std::uint64_t cookie, RecordStatus status, TimePoint now) {
  const auto it = m_open_by_cookie.find(cookie);
  if (it == m_open_by_cookie.end()) return;
  const auto ids = it->second;  // a copy: final records leave the index
  for (const auto id : ids) change(m_records.at(id), status, now);
}

void RequestLog::update_one(RecordId id, RecordStatus status, TimePoint now) {
  const auto it = m_records.find(id);
  if (it != m_records.end()) change(it->second, status, now);
}

const Record* RequestLog::active_of(const Fid& fid) const {
  const auto it = m_open_by_fid.find(fid);
  return it == m_open_by_fid.end() ? nullptr : find(it->second.front());
}

const Record* RequestLog::active_with(std::uint64_t cookie) const {
  const auto it = m_open_by_cookie.find(cookie);
  if (it == m_open_by_cookie.end()) return nullptr;
  for (const auto id : it->second)
    if (const Record& record = m_records.at(id); record.action != abi::HSMA_CANCEL) return &record;
  return nullptr;
}

const Record* RequestLog::last_active_of(const Fid& fid) const {
  const auto it = m_open_by_fid.find(fid);
  return it == m_open_by_fid.end() ? nullptr : find(it->second.back());
}

void RequestLog::forget_final(TimePoint before) {
  for (auto it = m_final.begin(); it != m_final.end() && it->first < before; it = m_final.erase(it))
    m_records.erase(it->second);
}

}  // namespace lhsm::emulator
