// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>

namespace lhsm::emulator {

/// The bytes of a file that were reported as copied, whatever the order, overlap or repetition of
/// the reports: overlapping and adjacent intervals are merged, so total() counts every byte once.
class IntervalUnion {
 public:
  /// Add [offset, offset + length). Return false, with nothing changed, when the last byte lies
  /// beyond 2^64 - 1. An empty interval is accepted and changes nothing.
  bool add(std::uint64_t offset, std::uint64_t length);

  [[nodiscard]] std::uint64_t total() const { return m_total; }
  [[nodiscard]] std::size_t pieces() const { return m_last_by_first.size(); }

 private:
  // First byte to last byte, both inclusive: [0, 2^64 - 2] must be expressible.
  std::map<std::uint64_t, std::uint64_t> m_last_by_first;
  std::uint64_t m_total = 0;
};

}  // namespace lhsm::emulator
