// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lhsmtool_mpi/base/extent.hpp"

namespace lhsm::plan {

/// How a large file is cut, from offset 0 on: extents of `extent_bytes`, then shorter ones, down to an eighth, so
/// that all slots come to the end together. What was copied before is left out.
class ExtentCutter {
 public:
  /// Choose the length of extents for a file of `size` bytes: `wanted_bytes`, or less when the file
  /// would otherwise give each of `slots` fewer than four turns, and always a multiple of `granule` (a power of two of 1 MiB or more, so that extents are digested
  /// apart) and of the Lustre stripe (`stripe_size`, 0 when unknown, a multiple of 64 KiB), so that two
  /// writers never share a stripe's lock.
  /// `done` is in ascending order, without overlaps, and within the file; it begins and ends at granules.
  ExtentCutter(std::uint64_t size, std::uint64_t wanted_bytes, std::uint64_t stripe_size, std::uint64_t slots,
               std::uint64_t granule, std::vector<Extent> done = {});

  [[nodiscard]] bool empty() const { return m_next >= m_size; }
  /// Cut off the next extent. There must be one.
  [[nodiscard]] Extent take();
  [[nodiscard]] std::uint64_t extent_bytes() const { return m_extent_bytes; }
  /// Cut no more.
  void stop() { m_next = m_size; }

 private:
  [[nodiscard]] std::uint64_t whole_units(std::uint64_t bytes) const;
  void pass_over_done();

  std::uint64_t m_size;
  std::vector<Extent> m_done;
  std::size_t m_next_done = 0;  // of them, the first behind m_next
  std::uint64_t m_left;         // to be cut
  std::uint64_t m_slots;
  std::uint64_t m_unit;  // all lengths are multiples of it
  std::uint64_t m_extent_bytes;
  std::uint64_t m_least_bytes;
  std::uint64_t m_next = 0;
};

}  // namespace lhsm::plan
