// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "file_window.hpp"
#include "journal_frame.hpp"
#include "manifest_seal.hpp"

namespace lhsm::store {

namespace {

Outcome<std::optional<Frame>> frame_at(FileWindow& window, std::uint64_t seed, std::uint64_t offset) {
  LHSM_TRY_ASSIGN(auto bytes, window.at(offset, k_frame_header_bytes));
  const auto size = frame_bytes(bytes, seed, offset);
  if (!size) return std::optional<Frame>();
  if (*size > bytes.size()) {
    LHSM_TRY_ASSIGN(bytes, window.at(offset, *size));
  }
  return parse_frame(bytes, seed, offset);
}

/// Return where the first batch after `offset` begins, if there is one.
Outcome<std::optional<std::uint64_t>> next_batch(FileWindow& window, std::uint64_t seed, std::uint64_t offset,
                                                 std::uint64_t size) {
  while (offset + k_frame_header_bytes <= size) {
    LHSM_TRY_ASSIGN(const auto frame, frame_at(window, seed, offset));
    if (frame && frame->first_of_batch) return std::optional(offset);
    offset += 8;
  }
  return std::optional<std::uint64_t>();
}

}  // namespace

Outcome<ScanEnd> scan_frames(int fd, const std::string& path, std::uint64_t seed, std::uint64_t size,
                             const std::function<Status(const Frame&)>& visit) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return errno_error("stat", path);
  ScanEnd end{k_base_bytes, k_base_bytes, std::min(size, static_cast<std::uint64_t>(status.st_size))};
  FileWindow window(fd, path, end.size, std::size_t{4} << 20U);
  while (end.valid < end.size) {
    LHSM_TRY_ASSIGN(const auto frame, frame_at(window, seed, end.valid));
    if (!frame) break;
    if (frame->first_of_batch) end.last_batch = end.valid;
    LHSM_TRY(visit(*frame));
    end.valid += k_frame_header_bytes + (frame->payload.size() + 7) / 8 * 8;
  }
  LHSM_TRY_ASSIGN(const auto batch, next_batch(window, seed, end.valid + 8, end.size));
  if (batch) {
    return corrupt(path, fmt::format("damaged at byte {}: no record there, but records from byte {} on; "
                                     "what happened between is lost",
                                     end.valid, *batch));
  }
  return end;
}

Outcome<Frame> read_frame(FileWindow& window, std::uint64_t seed, std::uint64_t offset) {
  std::optional<Frame> frame;
  if (offset < window.size()) {
    LHSM_TRY_ASSIGN(frame, frame_at(window, seed, offset));
  }
  if (!frame) return corrupt(window.path(), fmt::format("no record at byte {} any more", offset));
  return *frame;
}

}  // namespace lhsm::store
