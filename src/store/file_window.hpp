// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "read_at.hpp"

namespace lhsm::store {

/// A piece of the file in memory, which follows where it is asked for.
class FileWindow {
 public:
  /// `fd` and `path` must outlive it; it reads `piece` bytes at once.
  FileWindow(int fd, const std::string& path, std::uint64_t size, std::size_t piece)
      : m_fd(fd), m_path(path), m_size(size), m_piece(piece) {}

  [[nodiscard]] const std::string& path() const { return m_path; }
  [[nodiscard]] std::uint64_t size() const { return m_size; }

  /// `offset` lies before the end. Return the bytes from `offset` on: at least `least` of them, fewer only at the end
  /// of the file. Valid until the next call.
  Outcome<std::span<const std::byte>> at(std::uint64_t offset, std::size_t least) {
    least = static_cast<std::size_t>(std::min<std::uint64_t>(least, m_size - offset));
    if (offset < m_begin || offset + least > m_begin + m_length) LHSM_TRY(load(offset, least));
    const auto skip = static_cast<std::size_t>(offset - m_begin);
    return std::span<const std::byte>(m_bytes).subspan(skip, m_length - skip);
  }

 private:
  Status load(std::uint64_t offset, std::size_t least) {
    const auto want = std::min<std::uint64_t>(std::max(least, m_piece), m_size - offset);
    if (m_bytes.size() < want) m_bytes.resize(want);
    LHSM_TRY_ASSIGN(m_length, read_at(m_fd, std::span(m_bytes).first(want), offset, m_path));
    m_begin = offset;
    m_size = m_length < want ? offset + m_length : m_size;  // it became shorter meanwhile
    return {};
  }

  int m_fd;
  const std::string& m_path;
  std::uint64_t m_size;
  std::size_t m_piece;
  std::uint64_t m_begin = 0;
  std::size_t m_length = 0;
  std::vector<std::byte> m_bytes;
};

}  // namespace lhsm::store
