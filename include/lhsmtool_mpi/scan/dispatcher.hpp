// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rank 0 of a scan: hands the work out, moves it from ranks that have much to those that have none, and passes
// what they find on to the manifest. No rank waits while another has more than it is doing.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/comm/channel.hpp"
#include "lhsmtool_mpi/comm/roll_call.hpp"
#include "lhsmtool_mpi/scan/list_feeder.hpp"
#include "lhsmtool_mpi/scan/row.hpp"

namespace lhsm::scan {

/// What a scan has come to so far.
struct ScanTotals {
  std::uint64_t files = 0;  ///< rows
  std::uint64_t bytes = 0;  ///< their sizes
  std::uint64_t directories = 0;
  std::uint64_t others = 0;
  std::uint64_t filtered = 0;
  std::uint64_t vanished = 0;
  std::uint64_t failed_lines = 0;
  std::uint64_t failed_entries = 0;
  std::uint64_t moved = 0;  ///< names that went from one rank to another

  [[nodiscard]] std::uint64_t failed() const { return failed_lines + failed_entries; }
};

/// Somebody who watches. Called in the dispatcher's thread; must not wait.
class ScanObserver {
 public:
  virtual ~ScanObserver() = default;
  /// Called at least ten times a second.
  virtual void update(const ScanTotals& totals, TimePoint now) = 0;
  /// A line or directory failed. Of a flood not every one comes here; all are counted.
  virtual void problem(const Error& error) = 0;
  /// Names of what failed, all of them, each followed by a NUL, when ScanOptions::keeps_failed is set.
  virtual void failed_names(std::string_view /*names*/) {}
};

class RowWriter;

/// For one thread, but for stop().
class Dispatcher {
 public:
  /// `channel`, `sink` and `observer` outlive it. `likeness` is what all ranks must have.
  Dispatcher(comm::Channel& channel, int ranks, comm::Likeness likeness, RowSink& sink, ScanObserver& observer);

  /// Wait until all ranks have said who they are. Throws Fatal when one cannot work, is of another build or has other options, or is
  /// silent.
  void greet();
  /// Go through `tasks` and, if there is one, a list, to the end. Return whether that was reached, not a stop; then all
  /// rows are with the sink. Throws Fatal when the sink or the reading of the list fails.
  [[nodiscard]] bool run(std::vector<comm::ScanTask> tasks, ListFeeder* list);
  /// Send all ranks home. Return whether all have gone within half a minute; to be called after greet(), however that ended.
  [[nodiscard]] bool dismiss();

  /// Let run() return soon. Any thread.
  void stop();

  [[nodiscard]] const ScanTotals& totals() const { return m_totals; }

 private:
  struct Rank {
    std::uint64_t sent = 0;  // ScanTasks messages
    comm::ScanState state;
    bool is_recalled = false;  // asked for work, which has not come yet

    [[nodiscard]] bool is_up_to_date() const { return state.received == sent; }
    [[nodiscard]] bool is_hungry() const { return state.is_hungry && is_up_to_date(); }
    [[nodiscard]] bool is_idle() const { return state.is_idle && is_up_to_date(); }
  };

  void handle(WorkerId from, comm::ScanTasks& message);
  void handle(WorkerId from, const comm::ScanState& message);
  void handle(WorkerId from, comm::ScanFound& message);
  template <class Other>
  void handle(WorkerId from, const Other& message);
  void count(const comm::ScanFound& found);
  void feed(ListFeeder* list);
  void share_out();
  void recall(std::size_t hungry);
  [[nodiscard]] bool is_done(const ListFeeder* list) const;
  void thank();

  comm::Channel& m_channel;
  comm::Likeness m_likeness;
  RowSink& m_sink;
  ScanObserver& m_observer;
  std::vector<Rank> m_ranks;
  std::deque<comm::ScanTask> m_pool;  // that no rank has
  RowWriter* m_writer = nullptr;      // while run() runs
  ScanTotals m_totals;
  std::atomic<bool> m_stop = false;
};

}  // namespace lhsm::scan
