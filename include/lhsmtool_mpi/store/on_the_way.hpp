// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "lhsmtool_mpi/store/journal_record.hpp"

namespace lhsm::store {

/// The extents of a large file that are done, all of one version.
struct PartialFile {
  SourceVersion version;
  std::vector<ExtentRecord> extents;
};

/// What a journal's records leave on the way: what was asked for or copied in part and has no final result, by row, and the run
/// that has not ended. Memory: that of these records, of which the digests of extents are the most, 16 bytes for each MiB.
struct OnTheWay {
  std::map<std::uint64_t, RequestRecord> requests;
  std::map<std::uint64_t, PartialFile> partial;
  std::optional<RunRecord> run;

  /// Take the next record.
  void take(const JournalRecord& record);
  /// Leave out extents that came twice: a journal may repeat what the one before it left on the way.
  void drop_repeated();
  /// Return the records of which taking makes the same of nothing.
  [[nodiscard]] std::vector<JournalRecord> records() const;
};

}  // namespace lhsm::store
