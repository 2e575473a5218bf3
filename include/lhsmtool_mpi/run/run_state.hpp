// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/ids.hpp"

namespace lhsm::run {

/// How far the items of a bulk job are, earlier runs included.
struct JobCounts {
  std::uint64_t items = 0;
  std::uint64_t final = 0;         ///< of them, however they ended
  std::uint64_t unsuccessful = 0;  ///< of the final ones: failed, refused, cancelled
  bool lacks_space = false;        ///< it waits until there is some
  std::uint64_t bytes = 0;         ///< sizes of all; 0 where an item's size is nothing to it
  std::uint64_t final_bytes = 0;   ///< of them those of the final ones, and what is copied of those that are running
  std::uint64_t done = 0;          ///< items that this run has done
  std::uint64_t done_bytes = 0;    ///< as final_bytes, of this run's work alone
};

class DetailSource;

/// The one state that progress lines, the summary and the exit code are made of.
struct RunState {
  TimePoint started;
  Duration waited{};            ///< time in which actions waited for a rank
  Duration most_idle{};         ///< of that, what the rank that was idle longest had nothing to do
  std::uint64_t ranks = 0;
  std::uint64_t received = 0;   ///< actions taken in, without cancels and duplicates
  std::uint64_t archived = 0;   ///< ended with success, by kind
  std::uint64_t restored = 0;
  std::uint64_t removed = 0;
  std::uint64_t released = 0;   ///< by a job that releases
  std::uint64_t imported = 0;   ///< by a job that imports
  std::uint64_t unverified = 0; ///< of the restored: their objects have no digest
  std::uint64_t failed = 0;     ///< ended with an error
  std::uint64_t cancelled = 0;  ///< ended because the coordinator cancelled them
  std::uint64_t put_back = 0;   ///< ended undone because the run is stopping
  std::uint64_t queued = 0;     ///< no worker has them yet
  std::uint64_t running = 0;    ///< with a worker
  std::uint64_t file_bytes = 0;   ///< sizes of the files that were finished, without what earlier runs had copied
  std::uint64_t bytes_copied = 0; ///< by all ranks so far, holes and running copies included
  std::uint64_t bulk_bytes = 0;   ///< of the job's files that are running, what is copied of them
  std::uint64_t bulk_kept = 0;    ///< of these, what an earlier run had copied
  bool draining = false;
  std::optional<JobCounts> job;   ///< when this run is one of a job
  const DetailSource* source = nullptr;  ///< who can tell more (run_detail.hpp), while an observer is called; null: nobody

  [[nodiscard]] std::uint64_t done() const { return archived + restored + removed + released + imported; }
  [[nodiscard]] std::uint64_t final() const { return done() + failed + cancelled + put_back; }
};

/// How an action ended.
struct ActionOutcome {
  std::optional<Error> error;  ///< nothing: with success
  WorkerId worker = -1;
  std::uint64_t size = 0;         ///< of the file, when it succeeded
  std::uint64_t bytes_moved = 0;  ///< without holes
  std::chrono::microseconds took{0};
  std::optional<std::array<std::uint8_t, 16>> digest;  ///< copy::ObjectDigest's value of what was copied
  Duration age{};                 ///< since the action came, to some hundredths
  bool put_back = false;  ///< ended undone because the run is stopping
};

/// Somebody who watches. Called in the dispatcher's thread; must not wait.
class Observer {
 public:
  virtual ~Observer() = default;
  /// The state may have changed; called often, at least twice a second.
  virtual void update(const RunState& state, TimePoint now) = 0;
  /// An action failed.
  virtual void failed(const ActionItem& item, const Error& error) = 0;
  /// An action was taken in (not a cancel, nor what was sent twice).
  virtual void taken_in(const ActionItem& /*item*/) {}
  /// An action has ended, in whatever way; the coordinator has been told.
  virtual void ended(const ActionItem& /*item*/, const ActionOutcome& /*outcome*/) {}
};

}  // namespace lhsm::run
