// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A rank's part of the run's bandwidth: copies take bytes from it before they read them, and wait while
// there are none. What is missing is asked for from the dispatcher, which grants it (plan/bandwidth.hpp).
// Without a limit it costs a load of an atomic.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/copy/bytes.hpp"
#include "lhsmtool_mpi/run/stop_flag.hpp"

namespace lhsm::run {

class ByteBudget {
 public:
  /// `want` is called with all bytes that were wanted since the beginning whenever these change, in the thread that takes or that
  /// sets a limit. It must not call back.
  explicit ByteBudget(std::function<void(std::uint64_t)> want) : m_want(std::move(want)) {}

  /// Bytes that a copy should take at once; 0 = there is no limit.
  [[nodiscard]] std::uint64_t piece() const { return m_piece.load(std::memory_order_relaxed); }

  /// Wait until `bytes` are there, and take them; first come, first served. Each `interval` of waiting
  /// `while_waiting` is called, an error from which ends the wait. So does a raised `stop` (its error),
  /// after recheck(), and close() (`busy`, EAGAIN).
  [[nodiscard]] Status take(std::uint64_t bytes, const StopFlag& stop, Duration interval,
                            const std::function<Status()>& while_waiting);

  /// 0 = none. Lets those that wait go on when there is none any more.
  void set_limit(std::uint64_t bytes_per_second);
  void grant(std::uint64_t bytes);
  /// Let those that wait look at their stop flags.
  void recheck();
  /// Nothing will be granted any more.
  void close();

 private:
  struct Waiter {
    std::uint64_t bytes;
    std::uint64_t taken = 0;  // of the budget; nothing once there is no limit
    bool served = false;
  };
  void serve_waiters();
  void ask();

  std::function<void(std::uint64_t)> m_want;
  std::atomic<std::uint64_t> m_piece = 0;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::list<Waiter*> m_waiters;
  std::uint64_t m_waiting_bytes = 0;
  std::uint64_t m_taken = 0;
  std::uint64_t m_granted = 0;
  std::uint64_t m_asked = 0;
  bool m_closed = false;
};

/// A source whose bytes are taken from a budget before they are read. All references outlive it.
class BudgetedSource final : public copy::ByteSource {
 public:
  BudgetedSource(copy::ByteSource& source, ByteBudget& budget, const StopFlag& stop, Duration interval,
                 std::function<Status()> while_waiting)
      : m_source(source),
        m_budget(budget),
        m_stop(stop),
        m_interval(interval),
        m_while_waiting(std::move(while_waiting)) {}
  [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) override;
  [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent range) override { return m_source.next_data(range); }

 private:
  copy::ByteSource& m_source;
  ByteBudget& m_budget;
  const StopFlag& m_stop;
  Duration m_interval;
  std::function<Status()> m_while_waiting;
};

}  // namespace lhsm::run
