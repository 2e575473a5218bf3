// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How a journal lies in its file (docs/journal-format.md): a base of 64 bytes, then records, each in a frame that
// begins at a multiple of 8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "file_window.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/store/journal_record.hpp"
#include "lhsmtool_mpi/store/replay.hpp"

namespace lhsm::store {

inline constexpr std::size_t k_base_bytes = 64;
inline constexpr std::size_t k_frame_header_bytes = 16;
inline constexpr std::uint32_t k_journal_version = 1;

/// Return the base's k_base_bytes.
[[nodiscard]] std::string base_bytes(const JournalBase& base);
/// Read the base of an open file.
[[nodiscard]] Outcome<JournalBase> read_base(int fd, const std::string& path);
/// Return what the checksums of a journal begin with. They also depend on where a record stands, so that neither what
/// is left on the disk of another journal nor a record at another place is taken for one.
[[nodiscard]] std::uint64_t seed_of(const JournalBase& base);

/// Append the frame of `record`, which will stand at `offset` of the file, to `out`. False, and nothing is
/// appended, when the record is too long.
[[nodiscard]] bool append_frame(const JournalRecord& record, bool first_of_batch, std::uint64_t seed,
                                std::uint64_t offset, std::string& out);

/// A frame whose checksum is right.
struct Frame {
  std::uint64_t offset = 0;
  bool first_of_batch = false;
  RecordType type{};
  std::span<const std::byte> payload;  ///< valid during the call that hands the frame over
};

struct ScanEnd {
  std::uint64_t valid = 0;       ///< up to the end of the last whole record
  std::uint64_t last_batch = 0;  ///< where the last batch begins; `valid` when there is none
  std::uint64_t size = 0;        ///< of what was scanned
};

/// Call `visit` with all whole records of the first `size` bytes, or of the file if that is shorter, in their order, until it returns an
/// error. A torn end is left out; damage before a batch that follows is an error. One batch is synced before the next is written: so only
/// the last one may be torn, but that one anywhere, as its blocks reach the disk in any order.
[[nodiscard]] Outcome<ScanEnd> scan_frames(int fd, const std::string& path, std::uint64_t seed, std::uint64_t size,
                                           const std::function<Status(const Frame&)>& visit);

/// Read the one frame at `offset`; `corrupt` when there is none. Its payload is valid until the next call.
[[nodiscard]] Outcome<Frame> read_frame(FileWindow& window, std::uint64_t seed, std::uint64_t offset);

/// Return the frame at the beginning of `bytes`, which stand at `offset`; nothing if there is none, or not all of it.
[[nodiscard]] std::optional<Frame> parse_frame(std::span<const std::byte> bytes, std::uint64_t seed,
                                               std::uint64_t offset);
/// Return how many bytes the frame at the beginning of `bytes` has by its header; nothing if that is none.
[[nodiscard]] std::optional<std::size_t> frame_bytes(std::span<const std::byte> bytes, std::uint64_t seed,
                                                     std::uint64_t offset);

}  // namespace lhsm::store
