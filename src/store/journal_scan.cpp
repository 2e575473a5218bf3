// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "journal_frame.hpp"
#include "manifest_seal.hpp"
#include "read_at.hpp"

namespace lhsm::store {

namespace {

/// A piece of the file in memory, which follows where it is asked for.
class Window {
 public:
  Window(int fd, const std::string& path, std::uint64_t size) : m_fd(fd), m_path(path), m_size(size) {}

  /// Return the bytes from `offset` on: at least `least` of them, fewer only at the end of the file.
  Outcome<std::span<const std::byte>> at(std::uint64_t offset, std::size_t least) {
    least = static_cast<std::size_t>(std::min<std::uint64_t>(least, m_size - offset));
    if (offset < m_begin || offset + least > m_begin + m_length) LHSM_TRY(load(offset, least));
    const auto skip = static_cast<std::size_t>(offset - m_begin);
    return std::span<const std::byte>(m_bytes).subspan(skip, m_length - skip);
  }

 private:
  static constexpr std::size_t k_piece = std::size_t{4} << 20U;

  Status load(std::uint64_t offset, std::size_t least) {
    const auto want = std::min<std::uint64_t>(std::max(least, k_piece), m_size - offset);
    if (m_bytes.size() < want) m_bytes.resize(want);
    LHSM_TRY_ASSIGN(m_length, read_at(m_fd, std::span(m_bytes).first(want), offset, m_path));
    m_begin = offset;
    m_size = m_length < want ? offset + m_length : m_size;  // it became shorter meanwhile
    return {};
  }

  int m_fd;
  const std::string& m_path;
  std::uint64_t m_size;
  std::uint64_t m_begin = 0;
  std::size_t m_length = 0;
  std::vector<std::byte> m_bytes;
};

Outcome<std::optional<Frame>> frame_at(Window& window, std::uint64_t seed, std::uint64_t offset) {
  LHSM_TRY_ASSIGN(auto bytes, window.at(offset, k_frame_header_bytes));
  const auto size = frame_bytes(bytes, seed, offset);
  if (!size) return std::optional<Frame>();
  if (*size > bytes.size()) {
    LHSM_TRY_ASSIGN(bytes, window.at(offset, *size));
  }
  return parse_frame(bytes, seed, offset);
}

/// Return where the first batch after `offset` begins, if there is one.
Outcome<std::optional<std::uint64_t>> next_batch(Window& window, std::uint64_t seed, std::uint64_t offset,
                                                 std::uint64_t size) {
  while (offset + k_frame_header_bytes <= size) {
    LHSM_TRY_ASSIGN(const auto frame, frame_at(window, seed, offset));
    if (frame && frame->first_of_batch) return std::optional(offset);
    offset += 8;
  }
  return std::optional<std::uint64_t>();
}

}  // namespace

Outcome<ScanEnd> scan_frames(int fd, const std::string& path, std::uint64_t seed,
                             const std::function<Status(const Frame&)>& visit) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return errno_error("stat", path);
  ScanEnd end{k_base_bytes, k_base_bytes, static_cast<std::uint64_t>(status.st_size)};
  Window window(fd, path, end.size);
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

Outcome<Frame> read_frame(int fd, const std::string& path, std::uint64_t seed, std::uint64_t offset,
                          std::string& buffer) {
  constexpr std::size_t k_usual = 256;
  buffer.resize(k_usual);
  LHSM_TRY_ASSIGN(std::size_t got, read_at(fd, std::as_writable_bytes(std::span(buffer)), offset, path));
  auto bytes = std::as_bytes(std::span(buffer)).first(got);
  const auto size = frame_bytes(bytes, seed, offset);
  if (size && *size > bytes.size()) {
    buffer.resize(*size);
    LHSM_TRY_ASSIGN(got, read_at(fd, std::as_writable_bytes(std::span(buffer)), offset, path));
    bytes = std::as_bytes(std::span(buffer)).first(got);
  }
  const auto frame = parse_frame(bytes, seed, offset);
  if (!frame) return corrupt(path, fmt::format("no record at byte {} any more", offset));
  return *frame;
}

}  // namespace lhsm::store
