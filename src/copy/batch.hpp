// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "aligned_buffer.hpp"
#include "lhsmtool_mpi/base/extent.hpp"

namespace lhsm::copy {

/// A filled buffer on its way to the sink.
struct Batch {
  explicit Batch(std::size_t bytes) : buffer(bytes) {}

  AlignedBuffer buffer;
  Extent hole;                   ///< skipped directly before `span`
  Extent span;                   ///< what the buffer covers
  std::vector<Extent> segments;  ///< what of `span` is written; the rest of it is a hole

  [[nodiscard]] std::span<const std::byte> bytes() const { return buffer.first(static_cast<std::size_t>(span.length)); }

  [[nodiscard]] std::span<const std::byte> bytes_of(const Extent& segment) const {
    return bytes().subspan(static_cast<std::size_t>(segment.offset - span.offset),
                           static_cast<std::size_t>(segment.length));
  }

  [[nodiscard]] std::uint64_t bytes_to_write() const {
    return std::accumulate(segments.begin(), segments.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Extent& segment) { return sum + segment.length; });
  }
};

}  // namespace lhsm::copy
