// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A source and a sink in memory which say what was done with them.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/copy/bytes.hpp"

namespace lhsm::test {

/// Return `length` bytes that are not zero and hardly repeat.
inline std::string pattern(std::size_t length, unsigned seed = 1) {
  std::string bytes(length, '\0');
  std::uint32_t state = seed * 2654435761U + 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(1 + (state >> 24U) % 255U);
  }
  return bytes;
}

/// Data is where `data` says, zeros elsewhere.
class MemorySource final : public copy::ByteSource {
 public:
  explicit MemorySource(std::string bytes) : m_bytes(std::move(bytes)), m_data{{0, m_bytes.size()}} {}
  MemorySource(std::size_t size, std::vector<Extent> data) : m_bytes(size, '\0'), m_data(std::move(data)) {
    for (const Extent& extent : m_data)
      m_bytes.replace(extent.offset, extent.length, pattern(extent.length, static_cast<unsigned>(extent.offset)));
  }

  [[nodiscard]] const std::string& bytes() const { return m_bytes; }
  std::vector<Extent> reads;
  int questions = 0;

  [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) override {
    const std::size_t length = offset < m_bytes.size() ? std::min(out.size(), m_bytes.size() - offset) : 0;
    if (length != 0) std::memcpy(out.data(), m_bytes.data() + offset, length);
    reads.push_back({offset, length});
    return length;
  }
  [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent range) override {
    ++questions;
    std::vector<Extent> data = m_data;
    data.push_back({m_bytes.size(), UINT64_MAX - m_bytes.size()});
    for (const Extent& extent : data) {
      if (extent.end() <= range.offset) continue;
      const std::uint64_t begin = std::max(extent.offset, range.offset);
      if (begin >= range.end()) return std::nullopt;
      return Extent{begin, std::min(extent.end(), range.end()) - begin};
    }
    return std::nullopt;
  }

 private:
  std::string m_bytes;
  std::vector<Extent> m_data;
};

class MemorySink final : public copy::ByteSink {
 public:
  std::string bytes;  ///< zeros where nothing was written
  std::vector<Extent> writes;
  std::vector<Extent> writebacks;

  [[nodiscard]] Status write_at(std::span<const std::byte> in, std::uint64_t offset) override {
    if (bytes.size() < offset + in.size()) bytes.resize(offset + in.size(), '\0');
    std::memcpy(bytes.data() + offset, in.data(), in.size());
    writes.push_back({offset, in.size()});
    return {};
  }
  [[nodiscard]] Status sync() override { return {}; }
  void start_writeback(Extent range) override { writebacks.push_back(range); }
};

}  // namespace lhsm::test
