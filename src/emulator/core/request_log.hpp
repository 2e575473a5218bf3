// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "core/record.hpp"

namespace lhsm::emulator {

/// All records of one MDT (Lustre's hsm_actions log), with the look-ups that would be scans there.
/// Final states never change again.
class RequestLog {
 public:
  /// Told of every record that is new or has changed, so that it can be kept on disk.
  std::function<void(const Record&)> on_change = [](const Record&) {};

  /// Put back a record that an earlier run kept: in the order of ids, before anything else.
  void restore(Record record);

  /// Append a record; its id is set here. Its cookie and times are the caller's.
  const Record& append(Record record);

  [[nodiscard]] const Record* find(RecordId id) const;

  /// Set the status of every record with this cookie that is not final: an action, and perhaps the
  /// CANCEL that names it.
  void update(std::uint64_t cookie, RecordStatus status, TimePoint now);
  void update_one(RecordId id, RecordStatus status, TimePoint now);

  /// Return the first waiting or started record of the file that is no CANCEL, or null.
  [[nodiscard]] const Record* active_of(const Fid& fid) const;
  /// Return the action, not the CANCEL, that has this cookie and is not final, or null.
  [[nodiscard]] const Record* active_with(std::uint64_t cookie) const;
  /// Return the last record active_of() could mean: what a CANCEL by FID means.
  [[nodiscard]] const Record* last_active_of(const Fid& fid) const;

  /// Ids of waiting records, in log order.
  [[nodiscard]] const std::set<RecordId>& waiting() const { return m_waiting; }
  [[nodiscard]] const std::set<RecordId>& started() const { return m_started; }
  [[nodiscard]] const std::map<RecordId, Record>& all() const { return m_records; }

  /// Delete the records that became final before `before`.
  void forget_final(TimePoint before);

 private:
  const Record& enter(Record record);
  void change(Record& record, RecordStatus status, TimePoint now);

  std::map<RecordId, Record> m_records;
  RecordId m_next = 1;
  std::set<RecordId> m_waiting;
  std::set<RecordId> m_started;
  // Final records in the order in which they became final, which is the order of their deletion.
  std::multimap<TimePoint, RecordId> m_final;
  // Records that are not final; a cookie has at most an action and its CANCELs.
  std::unordered_map<std::uint64_t, std::vector<RecordId>> m_open_by_cookie;
  std::unordered_map<Fid, std::vector<RecordId>> m_open_by_fid;
};

}  // namespace lhsm::emulator
