// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "lhsmtool_mpi/base/clock.hpp"

namespace lhsm::verify {

/// Holds the readers of a rank to its limit of bytes a second: each waits until its bytes have had their time, in the
/// order in which they come. Time in which nobody reads is lost. Any thread.
class Pace {
 public:
  /// 0: no limit.
  explicit Pace(std::uint64_t bytes_per_second) : m_limit(bytes_per_second) {}

  /// Return how many of `most` bytes to read at once: what has its time in 50 ms, but 64 KiB at least.
  [[nodiscard]] std::size_t piece(std::size_t most) const;
  /// Wait until so many may be read. False: stop() was called.
  [[nodiscard]] bool take(std::size_t bytes);
  /// Let nobody wait any more.
  void stop();

 private:
  std::uint64_t m_limit;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  TimePoint m_free_at{};  // all before is given away
  bool m_is_stopped = false;
};

}  // namespace lhsm::verify
