// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The members of each message, for Boost.Serialization. Strings and vectors are read piece by piece,
// so that a wrong length runs out of bytes instead of allocating what it says.
#pragma once

#include <algorithm>
#include <boost/serialization/level.hpp>
#include <boost/serialization/serialization.hpp>
#include <boost/serialization/tracking.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::comm::wire {

/// A string, vector or optional on the wire: its length, then its content.
template <class T>
struct Counted {
  T& value;
};
template <class T>
Counted<T> counted(T& value) {
  return {value};
}

/// A bool on the wire: a byte, of which any but 0 is true. To load a bool itself from such a byte is undefined.
struct Flag {
  bool& value;
};
inline Flag flag(bool& value) { return {value}; }

template <class Archive>
void save_counted(Archive& archive, const std::string& text) {
  const std::uint64_t size = text.size();
  archive << size;
  archive.save_binary(text.data(), text.size());
}

template <class Archive>
void load_counted(Archive& archive, std::string& text) {
  constexpr std::uint64_t k_piece = 4096;
  std::uint64_t left = 0;
  archive >> left;
  text.clear();
  while (left > 0) {
    const auto piece = static_cast<std::size_t>(std::min(left, k_piece));
    const std::size_t at = text.size();
    text.resize(at + piece);
    archive.load_binary(text.data() + at, piece);
    left -= piece;
  }
}

template <class Archive, class T>
void save_counted(Archive& archive, const std::vector<T>& items) {
  const std::uint64_t size = items.size();
  archive << size;
  for (const T& item : items) archive << item;
}

template <class Archive, class T>
void load_counted(Archive& archive, std::vector<T>& items) {
  std::uint64_t left = 0;
  archive >> left;
  items.clear();
  items.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(left, 1024)));
  for (; left > 0; --left) {
    T item{};
    archive >> item;
    items.push_back(std::move(item));
  }
}

template <class Archive, class T>
void save_counted(Archive& archive, const std::optional<T>& value) {
  const std::uint8_t present = value ? 1 : 0;
  archive << present;
  if (value) archive << *value;
}

template <class Archive, class T>
void load_counted(Archive& archive, std::optional<T>& value) {
  std::uint8_t present = 0;
  archive >> present;
  value.reset();
  if (present != 0) archive >> value.emplace();
}

}  // namespace lhsm::comm::wire

namespace boost::serialization {

template <class Archive, class T>
void lhsm_member(Archive& archive, T& member) {
  archive& member;
}
template <class Archive, class T>
void lhsm_member(Archive& archive, ::lhsm::comm::wire::Counted<T>& member) {
  if constexpr (Archive::is_saving::value)
    ::lhsm::comm::wire::save_counted(archive, member.value);
  else
    ::lhsm::comm::wire::load_counted(archive, member.value);
}
template <class Archive>
void lhsm_member(Archive& archive, ::lhsm::comm::wire::Flag& member) {
  std::uint8_t byte = member.value ? 1 : 0;
  archive& byte;
  if constexpr (Archive::is_loading::value) member.value = byte != 0;
}
template <class Archive, class... Members>
void lhsm_members(Archive& archive, Members&&... members) {
  (lhsm_member(archive, members), ...);
}

}  // namespace boost::serialization

// LHSM_WIRE(TYPE, members…) of m: plain data, without version, address tracking or class information.
#define LHSM_WIRE(TYPE, ...)                                             \
  BOOST_CLASS_IMPLEMENTATION(TYPE, boost::serialization::object_serializable) \
  BOOST_CLASS_TRACKING(TYPE, boost::serialization::track_never)          \
  namespace boost::serialization {                                       \
  template <class Archive>                                               \
  void serialize(Archive& archive, TYPE& m, unsigned) {                  \
    using ::lhsm::comm::wire::counted;                                   \
    using ::lhsm::comm::wire::flag;                                      \
    lhsm_members(archive __VA_OPT__(, ) __VA_ARGS__);                    \
    static_cast<void>(m);                                                \
  }                                                                      \
  }

LHSM_WIRE(lhsm::Fid, m.seq, m.oid, m.ver)
LHSM_WIRE(lhsm::Extent, m.offset, m.length)
LHSM_WIRE(lhsm::Error, m.kind, m.sys_errno, counted(m.operation), counted(m.subject))
LHSM_WIRE(lhsm::ActionItem, m.kind, m.fid, m.dfid, m.extent, m.cookie, m.gid, m.list_flags, m.archive_id, m.mdt_index,
          counted(m.data))
LHSM_WIRE(lhsm::comm::Job, m.id, m.reject_errno, m.item)
LHSM_WIRE(lhsm::comm::Hello, m.protocol, counted(m.build), counted(m.host), m.slots, counted(m.unable), counted(m.options),
          counted(m.file_system))
LHSM_WIRE(lhsm::comm::Jobs, counted(m.jobs))
LHSM_WIRE(lhsm::comm::Result, m.id, m.disposition, m.error, m.size, m.bytes_moved, m.microseconds,
          flag(m.is_verified), counted(m.digest), flag(m.is_untaken))
LHSM_WIRE(lhsm::comm::Results, counted(m.results))
LHSM_WIRE(lhsm::comm::Begin, m.job, counted(m.object), m.data_version)
LHSM_WIRE(lhsm::comm::Begun, m.id, m.dfid, m.size, m.stripe_size, counted(m.token), counted(m.object), m.data_version,
          flag(m.is_resumed))
LHSM_WIRE(lhsm::comm::CopyExtent, m.id, m.kind, m.fid, m.dfid, counted(m.token), m.extent, m.file_size)
LHSM_WIRE(lhsm::comm::ExtentDone, m.id, m.extent, m.bytes_moved, counted(m.leaves), counted(m.error))
LHSM_WIRE(lhsm::comm::Covered, m.id, counted(m.extents))
LHSM_WIRE(lhsm::comm::Trouble, m.id, m.error)
LHSM_WIRE(lhsm::comm::Finish, m.id, counted(m.digest), counted(m.error), flag(m.is_kept))
LHSM_WIRE(lhsm::comm::Cancel, m.id, m.error)
LHSM_WIRE(lhsm::comm::Recall, m.most)
LHSM_WIRE(lhsm::comm::Returned, counted(m.ids))
LHSM_WIRE(lhsm::comm::CopyProgress, m.id, m.size, m.done)
LHSM_WIRE(lhsm::comm::Tick, m.bytes_moved, m.running, m.estranged, m.idle_us, counted(m.copies))
LHSM_WIRE(lhsm::comm::Heartbeat)
LHSM_WIRE(lhsm::comm::Event, m.kind, m.action, m.source, m.data, counted(m.path), m.total, m.current, m.sys_errno)
LHSM_WIRE(lhsm::comm::Events, counted(m.events))
LHSM_WIRE(lhsm::comm::BandwidthLimit, m.bytes_per_second)
LHSM_WIRE(lhsm::comm::BandwidthWanted, m.total)
LHSM_WIRE(lhsm::comm::BandwidthGrant, m.bytes)
LHSM_WIRE(lhsm::comm::ScanTask, m.kind, counted(m.directory), counted(m.names), m.count)
LHSM_WIRE(lhsm::comm::ScanTasks, counted(m.tasks))
LHSM_WIRE(lhsm::comm::ScanState, m.queued, m.received, flag(m.is_hungry), flag(m.is_idle))
LHSM_WIRE(lhsm::comm::ScanRecall)
LHSM_WIRE(lhsm::comm::ScanFound, counted(m.rows), m.row_count, m.bytes, m.directories, m.others, m.filtered,
          m.vanished, m.failed_lines, m.failed_entries, counted(m.problems), counted(m.failed_names))
LHSM_WIRE(lhsm::comm::ScanTaken)
LHSM_WIRE(lhsm::comm::VerifyTask, m.row, m.fid, flag(m.is_whole), m.size, m.extent)
LHSM_WIRE(lhsm::comm::VerifyTasks, counted(m.tasks))
LHSM_WIRE(lhsm::comm::VerifyResult, m.row, m.extent, flag(m.has_failed), m.error, m.size, counted(m.version), counted(m.kept),
          counted(m.computed), counted(m.leaves), m.bytes_read)
LHSM_WIRE(lhsm::comm::VerifyResults, counted(m.results))
LHSM_WIRE(lhsm::comm::FileToDo, m.fid, counted(m.path), m.size, m.mtime_ns, m.uid, m.gid, m.projid, m.links, m.hsm_state)
LHSM_WIRE(lhsm::comm::FilesToDo, counted(m.source), counted(m.files))
LHSM_WIRE(lhsm::comm::FileDone, m.fid, m.answer, m.error)
LHSM_WIRE(lhsm::comm::FilesDone, counted(m.files))
LHSM_WIRE(lhsm::comm::FileToAsk, m.fid, flag(m.is_searched))
LHSM_WIRE(lhsm::comm::AskFiles, m.id, m.kind, counted(m.archives), counted(m.files))
LHSM_WIRE(lhsm::comm::FileAsked, m.answer, m.error)
LHSM_WIRE(lhsm::comm::FilesAsked, m.id, counted(m.files))
LHSM_WIRE(lhsm::comm::ClockAsked, m.id)
LHSM_WIRE(lhsm::comm::ClockTold, m.id, m.ns)
LHSM_WIRE(lhsm::comm::CheckAsked, flag(m.makes_probe), flag(m.speaks_for_run), flag(m.speaks_for_host), counted(m.probe))
LHSM_WIRE(lhsm::comm::CheckFinding, m.verdict, counted(m.subject), counted(m.text), counted(m.remedy))
LHSM_WIRE(lhsm::comm::CheckFact, counted(m.name), counted(m.value))
LHSM_WIRE(lhsm::comm::CheckFound, counted(m.findings), counted(m.facts), counted(m.next))
LHSM_WIRE(lhsm::comm::Stop)
LHSM_WIRE(lhsm::comm::Bye)

#undef LHSM_WIRE
