// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rank 0 of a verification: hands objects to the ranks as they have room, large ones in extents, and judges what they
// find.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/comm/channel.hpp"
#include "lhsmtool_mpi/comm/roll_call.hpp"
#include "lhsmtool_mpi/copy/digest.hpp"
#include "lhsmtool_mpi/verify/verdict.hpp"

namespace lhsm::verify {

struct DispatcherOptions {
  std::uint64_t stripe_threshold = std::uint64_t{1} << 30U;  ///< objects from this size on are read by several ranks
  std::uint64_t extent_bytes = std::uint64_t{256} << 20U;    ///< in pieces of about this length
};

/// Somebody who watches. Called in the dispatcher's thread; must not wait.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Called at least ten times a second.
  virtual void update(const Totals& totals, TimePoint now) = 0;
  /// Once for each object.
  virtual void found(const Finding& finding) = 0;
};

/// For one thread, but for stop(). Memory: what the ranks have in hand, and 16 bytes for each MiB of large objects of
/// those.
class Dispatcher {
 public:
  /// Returns the next candidate, or nothing after the last one.
  using Source = std::function<Outcome<std::optional<Candidate>>()>;

  /// `channel` and `observer` outlive it. `likeness` is what all ranks must have.
  Dispatcher(comm::Channel& channel, int ranks, comm::Likeness likeness, DispatcherOptions options, Observer& observer);

  /// Wait until all ranks have said who they are. Throws Fatal when one cannot work, is of another build or has other options, or is
  /// silent.
  void greet();
  /// Check all that `source` gives. Return whether the end was reached, not a stop. Throws Fatal when the source fails.
  [[nodiscard]] bool run(const Source& source);
  /// Send all ranks home. Return whether all have gone within half a minute.
  [[nodiscard]] bool dismiss();

  /// Let run() return soon. Any thread.
  void stop();

  [[nodiscard]] const Totals& totals() const { return m_totals; }

 private:
  struct Rank {
    std::uint32_t slots = 1;
    std::uint64_t tasks = 0;  // in its hands
    std::uint64_t bytes = 0;

    [[nodiscard]] bool has_room() const;
  };
  /// An object that a rank, or some, have in hand.
  struct Open {
    Candidate candidate;
    std::uint64_t extents = 1;                       // without a result
    std::optional<copy::DigestCollector> collector;  // of a large one
    std::optional<comm::VerifyResult> first;
    std::optional<Error> error;
  };

  [[nodiscard]] std::optional<comm::VerifyTask> next_task(const Source& source);
  void cut(const Candidate& candidate);
  void hand_out(const Source& source);
  void take(WorkerId from, comm::VerifyResult& result);
  void note_extent(Open& open, comm::VerifyResult& result) const;
  void conclude(Open& open);

  comm::Channel& m_channel;
  comm::Likeness m_likeness;
  DispatcherOptions m_options;
  Observer& m_observer;
  std::vector<Rank> m_ranks;
  std::deque<comm::VerifyTask> m_next;  // extents of the last candidate, not handed out
  bool m_source_is_empty = false;
  std::unordered_map<std::uint64_t, Open> m_open;  // by row
  Totals m_totals;
  std::atomic<bool> m_stop = false;
};

}  // namespace lhsm::verify
