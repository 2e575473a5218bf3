// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where bytes come from and where they go: the two ends of a copy, seen by the copy engine. One
// object may be used by one reader and one writer thread, not by two of the same. Digests, bandwidth
// limits and faults are decorators of these two: in one copy the engine reads ascending offsets, each
// byte at most once, and what lies between two reads was told to be a hole.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/extent.hpp"

namespace lhsm::copy {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Fill `out` from `offset` on. Return the bytes read: less than asked only at the end of the source.
  [[nodiscard]] virtual Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) = 0;

  /// Return the next range that holds data, cut to `range`, or nothing when the rest of it is a hole.
  /// A source that cannot tell returns `range` itself. What lies beyond the end of the source is no
  /// hole: it is returned as data, so that whoever reads it learns where the source ends.
  [[nodiscard]] virtual Outcome<std::optional<Extent>> next_data(Extent range) = 0;
};

class ByteSink {
 public:
  virtual ~ByteSink() = default;

  /// Write all of `bytes` at `offset`; a short write is gone on with.
  [[nodiscard]] virtual Status write_at(std::span<const std::byte> bytes, std::uint64_t offset) = 0;

  /// Make everything written so far durable.
  [[nodiscard]] virtual Status sync() = 0;

  /// Let the system begin to write `range` out, so that sync() has less to wait for. Advice.
  virtual void start_writeback(Extent range) { static_cast<void>(range); }
};

}  // namespace lhsm::copy
