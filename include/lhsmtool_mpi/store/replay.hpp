// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a journal tells when it is read from its beginning.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/store/item_slice.hpp"
#include "lhsmtool_mpi/store/journal_record.hpp"
#include "lhsmtool_mpi/store/on_the_way.hpp"

namespace lhsm::store {

class FileWindow;

/// Read only the base. `not_found` when there is no file; `invalid` for what is no journal, `corrupt`, `unsupported`.
[[nodiscard]] Outcome<JournalBase> read_journal_base(const std::string& path);

/// How far a journal's file could be read.
struct JournalReach {
  std::uint64_t valid = 0;       ///< up to the end of the last whole record
  std::uint64_t torn = 0;        ///< bytes after it
  std::uint64_t last_batch = 0;  ///< where the last write began
};

/// A journal as it was when it was read: in memory 8 bytes for each row that has a result (by pages of rows), what is
/// on the way, and nothing of the rest, which is read again where it is asked for. Used by one thread at a time.
class JournalState {
 public:
  /// Read all whole records. A torn end, as a crash leaves it, is left out. Damage before that is an error of
  /// kind `corrupt` that says where. Rows must be below base.item_count.
  [[nodiscard]] static Outcome<JournalState> replay(const std::string& path);
  /// The same of a journal that was rotated and of `path`, the one that goes on from it, as one; also while it is appended to.
  /// Which generations they are of is the caller's to look at.
  [[nodiscard]] static Outcome<JournalState> replay(const std::string& rotated, const std::string& path);

  /// Return the state of a journal that holds no record.
  [[nodiscard]] static JournalState none(const JournalBase& base);

  [[nodiscard]] const JournalBase& base() const { return m_base; }  ///< of the last file
  /// Return the base of the rotated journal, null when there is none.
  [[nodiscard]] const JournalBase* rotated_base() const { return m_files.size() > 1 ? &m_files.front().base : nullptr; }
  /// Return the last result of the row, or nothing when the journal has none and the manifest's holds.
  [[nodiscard]] std::optional<ItemResult> result(std::uint64_t row) const;
  /// Return the record of that result. The file must be there and unchanged up to valid_bytes().
  [[nodiscard]] Outcome<std::optional<ItemResultRecord>> outcome(std::uint64_t row) const;
  /// Put the journal's results over `slice`, rows from `first` on: over all columns that the slice holds. Nothing is
  /// read for a slice that holds `result` alone of the columns that a job changes.
  [[nodiscard]] Status overlay(std::uint64_t first, ItemSlice& slice) const;

  /// What was asked for, or copied in part, and has no final result. By row.
  [[nodiscard]] const std::map<std::uint64_t, RequestRecord>& open_requests() const { return m_way.requests; }
  [[nodiscard]] const std::map<std::uint64_t, PartialFile>& partial_files() const { return m_way.partial; }
  /// The same, which are not here any more then, nor in unfinished(): to be used once.
  [[nodiscard]] std::map<std::uint64_t, PartialFile> take_partial_files() { return std::exchange(m_way.partial, {}); }
  [[nodiscard]] const std::vector<RunRecord>& runs() const { return m_runs; }
  /// Return whether the last run did not come to its end: what it did last may be unknown.
  [[nodiscard]] bool has_open_run() const { return m_way.run.has_value(); }

  /// Return whether there is anything that belongs into the next manifest: results, runs that are over.
  [[nodiscard]] bool has_news() const { return m_has_news; }
  /// Return the records of what is on the way, with which the next journal begins: its requests, extents, and the last
  /// run when it has not ended; the result of replaying them is the same.
  [[nodiscard]] std::vector<JournalRecord> unfinished() const { return m_way.records(); }
  [[nodiscard]] const OnTheWay& on_the_way() const { return m_way; }
  /// Return the runs but for the one in unfinished().
  [[nodiscard]] std::vector<RunRecord> finished_runs() const;

  [[nodiscard]] std::uint64_t record_count() const { return m_records; }
  /// Of the last file.
  [[nodiscard]] JournalReach reach() const { return m_files.empty() ? JournalReach{} : m_files.back().reach; }
  [[nodiscard]] std::uint64_t valid_bytes() const { return reach().valid; }
  [[nodiscard]] std::uint64_t torn_bytes() const { return reach().torn; }
  /// Of the rotated one, which must be there.
  [[nodiscard]] JournalReach rotated_reach() const { return m_files.front().reach; }

 private:
  using Page = std::array<std::uint64_t, k_slice_rows>;
  struct File {
    std::string path;
    Fd fd;
    JournalBase base;
    std::uint64_t seed = 0;
    JournalReach reach;
  };

  [[nodiscard]] static Outcome<JournalState> replay_all(const std::vector<std::string>& paths);
  [[nodiscard]] Status read(std::size_t index, std::uint64_t size);
  [[nodiscard]] bool take(const JournalRecord& record, std::size_t file, std::uint64_t offset);
  [[nodiscard]] Outcome<std::optional<ItemResultRecord>> read_outcome(std::uint64_t row, FileWindow& window) const;
  [[nodiscard]] std::uint64_t place(std::uint64_t row) const;
  [[nodiscard]] const File& file_of(std::uint64_t place) const;
  void set_place(std::uint64_t row, ItemResult result, std::size_t file, std::uint64_t offset);

  JournalBase m_base;
  std::vector<File> m_files;  // in their order: none, one, or the rotated one and its successor
  std::vector<std::unique_ptr<Page>> m_pages;
  OnTheWay m_way;
  std::vector<RunRecord> m_runs;
  bool m_has_news = false;
  std::uint64_t m_records = 0;
};

}  // namespace lhsm::store
