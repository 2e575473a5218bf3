// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a journal holds (docs/journal-format.md), as plain data. A row is the index of an item in the manifest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/extent.hpp"
#include "lhsmtool_mpi/store/item.hpp"

namespace lhsm::store {

/// The first bytes of a journal: which snapshot it goes on from.
struct JournalBase {
  ManifestIdentity manifest;
  std::uint64_t item_count = 0;
  std::uint64_t journal = 0;  ///< random: no two journals have the same
  friend bool operator==(const JournalBase&, const JournalBase&) = default;
};

/// The longest record without its header; longer ones are not appended, nor believed.
inline constexpr std::size_t k_longest_record = std::size_t{32} << 20U;

/// What has become of an item; the last one of a row counts. With any result but `pending` what is known of
/// its request and its extents is over.
struct ItemResultRecord {
  std::uint64_t row = 0;
  ItemOutcome outcome;
  std::optional<std::uint32_t> hsm_state;  ///< HS_* bits, when they are known anew
  friend bool operator==(const ItemResultRecord&, const ItemResultRecord&) = default;
};

/// The item was asked for at the coordinator.
struct RequestRecord {
  std::uint64_t row = 0;
  std::optional<std::uint64_t> cookie;  ///< when the coordinator told it
  std::int64_t time_ns = 0;
  friend bool operator==(const RequestRecord&, const RequestRecord&) = default;
};

/// Which content extents were copied from. Extents of different versions do not go together.
struct SourceVersion {
  std::uint64_t data_version = 0;
  std::string object;  ///< any bytes that name one version of the archive's object
  friend bool operator==(const SourceVersion&, const SourceVersion&) = default;
};

/// An extent of a large file is copied and synced.
struct ExtentRecord {
  std::uint64_t row = 0;
  Extent extent;
  SourceVersion version;
  std::string leaves;  ///< digests of its leaves, any bytes
  friend bool operator==(const ExtentRecord&, const ExtentRecord&) = default;
};

/// A run begins; end, exit code and totals of `run` are not kept.
struct RunBegunRecord {
  RunRecord run;
  friend bool operator==(const RunBegunRecord&, const RunBegunRecord&) = default;
};

/// The run that began last ends.
struct RunEndedRecord {
  std::int64_t end_ns = 0;
  std::int32_t exit_code = 0;
  RunTotals totals;
  friend bool operator==(const RunEndedRecord&, const RunEndedRecord&) = default;
};

using JournalRecord = std::variant<ItemResultRecord, RequestRecord, ExtentRecord, RunBegunRecord, RunEndedRecord>;

/// The numbers are those of the file: 1 + the index in JournalRecord.
enum class RecordType : std::uint8_t { item_result = 1, request = 2, extent = 3, run_begun = 4, run_ended = 5 };

/// Append the record without its header to `out`.
void encode(const JournalRecord& record, std::string& out);
[[nodiscard]] RecordType type_of(const JournalRecord& record);
/// Nothing for bytes that encode() does not write.
[[nodiscard]] std::optional<JournalRecord> decode(RecordType type, std::span<const std::byte> bytes);

}  // namespace lhsm::store
