// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One or more of each kind of message with every member set, and equality by members.
#pragma once

#include <string>
#include <vector>

#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::comm {

inline ActionItem sample_item() {
  ActionItem item;
  item.kind = ActionKind::restore;
  item.fid = {0x200000401, 0x17, 0x0};
  item.dfid = {0x200000402, 0x18, 0x1};
  item.extent = {4096, ~0ULL - 4096};
  item.cookie = 0x5f0e3c2a1b2c3d4e;
  item.gid = 42;
  item.list_flags = 5;
  item.archive_id = 3;
  item.mdt_index = -1;
  item.data = std::string("opaque\0bytes\xff", 13);
  return item;
}

inline Error sample_error() { return {ErrorKind::no_space, 28, "pwrite", "[0x200000401:0x17:0x0]"}; }

inline std::vector<Message> sample_messages() {
  const Job job{77, -5, sample_item()};
  return {
      Hello{k_protocol_version, "0.1.0+abcdef", "node01", 4, std::nullopt, "slots=4\n", "lustre"},
      Hello{10, "other", "", 0, sample_error(), {}, {}},
      Jobs{{}},
      Jobs{{job, Job{}, job}},
      Results{{}},
      Results{{Result{1, Disposition::done, {}, 10, 9, 8, true, std::string(16, '\xee')}, Result{2, Disposition::failed, sample_error(), 0, 0, 0, false, {}, true},
               Result{~0ULL, Disposition::large, {}, ~0ULL, 1, 2, false, {}}}},
      Begin{job, {}, 0},
      Begin{job, "0x1:0x2_tmp.6 17", ~0ULL},
      Begun{5, {1, 2, 3}, 1ULL << 40, 1 << 20, "0x1:0x2_tmp.7", {}, 0, false},
      Begun{5, {1, 2, 3}, 1ULL << 40, 1 << 20, "0x1:0x2_tmp.7", "0x1:0x2_tmp.7 17", 1ULL << 50, true},
      CopyExtent{6, ActionKind::archive, {1, 2, 3}, {4, 5, 6}, std::string(300, 't'), {1 << 20, 64 << 20}, 1ULL << 40},
      ExtentDone{6, {1 << 20, 64 << 20}, 12345, std::string(64 * 16, '\0'), std::nullopt},
      ExtentDone{6, {0, 1}, 0, {}, sample_error()},
      Covered{6, {{0, 1}, {5, 6}}},
      Trouble{7, sample_error()},
      Finish{8, "xxh3-128:", std::nullopt, false},
      Finish{8, {}, sample_error(), true},
      Cancel{9, sample_error()},
      Recall{~std::uint32_t{0}},
      Returned{{}},
      Returned{{1, 2, 3, ~0ULL}},
      Tick{1ULL << 50, 4, 1ULL << 40, 1ULL << 45, {}},
      Tick{1, 2, 3, 4, {{5, 6, 7}, {~0ULL, 1ULL << 40, 8}}},
      Heartbeat{},
      Events{{}},
      Events{{Event{EventKind::running, ActionKind::restore, {1, 2, 3}, {4, 5, 6}, "a/path", 1ULL << 40, 7, 0},
              Event{EventKind::error, ActionKind::remove, {1, 2, 3}, {1, 2, 3}, {}, 0, 0, 28}}},
      BandwidthLimit{20 << 20},
      BandwidthWanted{~0ULL},
      BandwidthGrant{1 << 20},
      ScanTasks{{}},
      ScanTasks{{ScanTask{ScanTaskKind::lines, "a/b", std::string("x\0y\n\xff\0", 6), 2}, ScanTask{}}},
      ScanState{~0ULL, 7, true, false},
      ScanRecall{},
      ScanFound{std::string(9000, '\xfe'), 3, 1ULL << 50, 4, 5, 6, 7, 8, 9, {sample_error(), sample_error()},
                std::string("a\0b\n\0", 5)},
      ScanTaken{},
      FilesToDo{"old", {{{1, 2, 3}, "a\nb", ~0ULL, -1, 8, ~0U, 7, 2}, {{~0ULL, 5, 6}, "", 0, 0, 0, 0, 0, 1}}},
      FilesDone{{{{1, 2, 3}, FileAnswer::refused, {}}, {{4, 5, 6}, FileAnswer::failed, sample_error()}}},
      AskFiles{},
      AskFiles{~0ULL, ActionKind::archive, {1, ~0U}, {{{1, 2, 3}, true}, {{4, 5, 6}, false}}},
      FilesAsked{7, {{AskAnswer::failed, sample_error()}, {AskAnswer::not_now, {}}}},
      Stop{},
      Bye{},
      VerifyTasks{{}},
      VerifyTasks{{VerifyTask{~0ULL, {1, 2, 3}, false, 1ULL << 40, {1 << 20, 64 << 20}}, VerifyTask{}}},
      VerifyResults{{VerifyResult{7, {1, 2}, false, {}, 3, "1.2", "kept", "computed", std::string("\0\xff", 2), 4},
                     VerifyResult{8, {0, 0}, true, sample_error(), 0, {}, {}, {}, {}, 0}}},
      ClockAsked{~0ULL},
      ClockTold{7, -1},
      CheckAsked{true, false, true, "probe"},
      CheckFound{},
      CheckFound{{CheckFinding{CheckVerdict::fail, "archive", "text", "remedy"}, CheckFinding{}}, {CheckFact{"name", "value"}}, "next"},
  };
}

// Equality for tests only: messages are compared nowhere else.
inline bool operator==(const ActionItem& a, const ActionItem& b) {
  return a.kind == b.kind && a.fid == b.fid && a.dfid == b.dfid && a.extent == b.extent && a.cookie == b.cookie &&
         a.gid == b.gid && a.list_flags == b.list_flags && a.archive_id == b.archive_id &&
         a.mdt_index == b.mdt_index && a.data == b.data;
}
inline bool operator==(const Job& a, const Job& b) {
  return a.id == b.id && a.reject_errno == b.reject_errno && comm::operator==(a.item, b.item);
}
inline bool operator==(const Result& a, const Result& b) {
  return a.id == b.id && a.disposition == b.disposition && a.error == b.error && a.size == b.size &&
         a.bytes_moved == b.bytes_moved && a.microseconds == b.microseconds && a.is_verified == b.is_verified &&
         a.digest == b.digest && a.is_untaken == b.is_untaken;
}
inline bool operator==(const Hello& a, const Hello& b) {
  return a.protocol == b.protocol && a.build == b.build && a.host == b.host && a.slots == b.slots &&
         a.unable == b.unable && a.options == b.options && a.file_system == b.file_system;
}
inline bool operator==(const Jobs& a, const Jobs& b) { return a.jobs == b.jobs; }
inline bool operator==(const Results& a, const Results& b) { return a.results == b.results; }
inline bool operator==(const Begin& a, const Begin& b) {
  return a.job == b.job && a.object == b.object && a.data_version == b.data_version;
}
inline bool operator==(const Begun& a, const Begun& b) {
  return a.id == b.id && a.dfid == b.dfid && a.size == b.size && a.stripe_size == b.stripe_size && a.token == b.token &&
         a.object == b.object && a.data_version == b.data_version && a.is_resumed == b.is_resumed;
}
inline bool operator==(const CopyExtent& a, const CopyExtent& b) {
  return a.id == b.id && a.kind == b.kind && a.fid == b.fid && a.dfid == b.dfid && a.token == b.token &&
         a.extent == b.extent && a.file_size == b.file_size;
}
inline bool operator==(const ExtentDone& a, const ExtentDone& b) {
  return a.id == b.id && a.extent == b.extent && a.bytes_moved == b.bytes_moved && a.leaves == b.leaves &&
         a.error == b.error;
}
inline bool operator==(const Covered& a, const Covered& b) { return a.id == b.id && a.extents == b.extents; }
inline bool operator==(const Trouble& a, const Trouble& b) { return a.id == b.id && a.error == b.error; }
inline bool operator==(const Finish& a, const Finish& b) {
  return a.id == b.id && a.digest == b.digest && a.error == b.error && a.is_kept == b.is_kept;
}
inline bool operator==(const Cancel& a, const Cancel& b) { return a.id == b.id && a.error == b.error; }
inline bool operator==(const Recall& a, const Recall& b) { return a.most == b.most; }
inline bool operator==(const Returned& a, const Returned& b) { return a.ids == b.ids; }
inline bool operator==(const Tick& a, const Tick& b) {
  return a.bytes_moved == b.bytes_moved && a.running == b.running && a.estranged == b.estranged;
}
inline bool operator==(const Heartbeat&, const Heartbeat&) { return true; }
inline bool operator==(const Event& a, const Event& b) {
  return a.kind == b.kind && a.action == b.action && a.source == b.source && a.data == b.data && a.path == b.path &&
         a.total == b.total && a.current == b.current && a.sys_errno == b.sys_errno;
}
inline bool operator==(const Events& a, const Events& b) { return a.events == b.events; }
inline bool operator==(const BandwidthLimit& a, const BandwidthLimit& b) {
  return a.bytes_per_second == b.bytes_per_second;
}
inline bool operator==(const BandwidthWanted& a, const BandwidthWanted& b) { return a.total == b.total; }
inline bool operator==(const BandwidthGrant& a, const BandwidthGrant& b) { return a.bytes == b.bytes; }
inline bool operator==(const ScanTask& a, const ScanTask& b) {
  return a.kind == b.kind && a.directory == b.directory && a.names == b.names && a.count == b.count;
}
inline bool operator==(const ScanTasks& a, const ScanTasks& b) { return a.tasks == b.tasks; }
inline bool operator==(const ScanState& a, const ScanState& b) {
  return a.queued == b.queued && a.received == b.received && a.is_hungry == b.is_hungry && a.is_idle == b.is_idle;
}
inline bool operator==(const ScanRecall&, const ScanRecall&) { return true; }
inline bool operator==(const ScanFound& a, const ScanFound& b) {
  return a.rows == b.rows && a.row_count == b.row_count && a.bytes == b.bytes && a.directories == b.directories && a.others == b.others &&
         a.filtered == b.filtered && a.vanished == b.vanished && a.failed_lines == b.failed_lines &&
         a.failed_entries == b.failed_entries && a.problems == b.problems &&
         a.failed_names == b.failed_names;
}
inline bool operator==(const ScanTaken&, const ScanTaken&) { return true; }
inline bool operator==(const VerifyTask& a, const VerifyTask& b) {
  return a.row == b.row && a.fid == b.fid && a.is_whole == b.is_whole && a.size == b.size && a.extent == b.extent;
}
inline bool operator==(const VerifyTasks& a, const VerifyTasks& b) { return a.tasks == b.tasks; }
inline bool operator==(const VerifyResult& a, const VerifyResult& b) {
  return a.row == b.row && a.extent == b.extent && a.has_failed == b.has_failed && a.error == b.error && a.size == b.size && a.version == b.version &&
         a.kept == b.kept && a.computed == b.computed && a.leaves == b.leaves && a.bytes_read == b.bytes_read;
}
inline bool operator==(const VerifyResults& a, const VerifyResults& b) { return a.results == b.results; }
inline bool operator==(const FileToDo& a, const FileToDo& b) {
  return a.fid == b.fid && a.path == b.path && a.size == b.size && a.mtime_ns == b.mtime_ns && a.uid == b.uid &&
         a.gid == b.gid && a.projid == b.projid && a.links == b.links && a.hsm_state == b.hsm_state;
}
inline bool operator==(const FilesToDo& a, const FilesToDo& b) { return a.source == b.source && a.files == b.files; }
inline bool operator==(const FileDone& a, const FileDone& b) {
  return a.fid == b.fid && a.answer == b.answer && a.error == b.error;
}
inline bool operator==(const FileToAsk& a, const FileToAsk& b) { return a.fid == b.fid && a.is_searched == b.is_searched; }
inline bool operator==(const AskFiles& a, const AskFiles& b) {
  return a.id == b.id && a.kind == b.kind && a.archives == b.archives && a.files == b.files;
}
inline bool operator==(const FileAsked& a, const FileAsked& b) { return a.answer == b.answer && a.error == b.error; }
inline bool operator==(const FilesAsked& a, const FilesAsked& b) { return a.id == b.id && a.files == b.files; }
inline bool operator==(const FilesDone& a, const FilesDone& b) { return a.files == b.files; }
inline bool operator==(const ClockAsked& a, const ClockAsked& b) { return a.id == b.id; }
inline bool operator==(const ClockTold& a, const ClockTold& b) { return a.id == b.id && a.ns == b.ns; }
inline bool operator==(const CheckAsked& a, const CheckAsked& b) {
  return a.makes_probe == b.makes_probe && a.speaks_for_run == b.speaks_for_run && a.speaks_for_host == b.speaks_for_host && a.probe == b.probe;
}
inline bool operator==(const CheckFinding& a, const CheckFinding& b) {
  return a.verdict == b.verdict && a.subject == b.subject && a.text == b.text && a.remedy == b.remedy;
}
inline bool operator==(const CheckFact& a, const CheckFact& b) { return a.name == b.name && a.value == b.value; }
inline bool operator==(const CheckFound& a, const CheckFound& b) {
  return a.findings == b.findings && a.facts == b.facts && a.next == b.next;
}
inline bool operator==(const Stop&, const Stop&) { return true; }
inline bool operator==(const Bye&, const Bye&) { return true; }

}  // namespace lhsm::comm
