// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Shares one limit of bytes per second out among the workers: a token bucket that is emptied in turns
// by those that want something. Pure: the time is passed in.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/ids.hpp"

namespace lhsm::plan {

/// Return how many bytes a copy takes at once under this limit: what flows in 50 ms, but 64 KiB at
/// least, in multiples of 4 KiB.
[[nodiscard]] std::uint64_t bandwidth_piece(std::uint64_t bytes_per_second);

/// What was granted over any time since the limit was set is at most the limit times that time and
/// a burst of 200 ms, or of one piece.
class BandwidthShare {
 public:
  struct Grant {
    WorkerId worker = 0;
    std::uint64_t bytes = 0;
  };

  /// Change the limit; 0 = none. What is wanted now is forgotten: workers that learn of the limit say
  /// it anew.
  void set_limit(std::uint64_t bytes_per_second, TimePoint now);
  [[nodiscard]] std::uint64_t limit() const { return m_limit; }

  /// `worker` has wanted `total` bytes since it began. A lower total takes back what it does not need
  /// any more. Ignored without a limit.
  void want(WorkerId worker, std::uint64_t total);

  /// Return the next grant that is due now. Grants are in turns; a worker with small wants gets up to
  /// a piece ahead, so that it need not ask for each small file.
  [[nodiscard]] std::optional<Grant> next(TimePoint now);

  /// Return when next() may have something, or nothing while nobody wants anything.
  [[nodiscard]] std::optional<TimePoint> due(TimePoint now) const;

 private:
  struct Account {
    std::uint64_t wanted = 0;
    std::uint64_t granted = 0;
    bool queued = false;
  };
  void fill(TimePoint now);
  void drop_satisfied();
  [[nodiscard]] std::uint64_t turn() const;

  std::uint64_t m_limit = 0;
  double m_tokens = 0;
  TimePoint m_filled{};
  std::map<WorkerId, Account> m_accounts;
  std::deque<WorkerId> m_queue;  // of those that want something, the next first
};

}  // namespace lhsm::plan
