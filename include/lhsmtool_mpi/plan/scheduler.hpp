// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Decides what is done next and by whom. Pure: no I/O, no messages, no threads, no clock; the
// dispatcher feeds it with what happened and carries out what next() says.
//
// Order: restores that a process waits for, other restores, removes, archives, and behind them all what is of the bulk
// (a job's own requests), for which a part of each worker's slots is not there at all. What is only to be ended
// with an error goes before all, whatever room there is: it needs no slot. One action per file at a time, but for a restore that came while only
// archives of its file were here: it runs beside whatever else is. Small actions go out in batches. A worker that finds its
// file over the stripe threshold gives it back; such a file is then begun by one worker, its owner,
// and its extents go to every worker with room, the longest file first; while small ones wait they take
// half of a worker's slots at most. All extents are done and closed before its owner ends it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/plan/early_cancels.hpp"
#include "lhsmtool_mpi/plan/extents.hpp"
#include "lhsmtool_mpi/plan/job_table.hpp"
#include "lhsmtool_mpi/plan/precedence.hpp"
#include "lhsmtool_mpi/plan/worker_pool.hpp"

namespace lhsm::plan {

struct SchedulerOptions {
  std::uint64_t extent_bytes = std::uint64_t{64} << 20;
  std::size_t max_batch = 64;
  std::chrono::microseconds queue_ahead{20'000};
  std::uint32_t reserved_slots = 1;  ///< of each worker, which the bulk leaves free; one is always left to it
};

/// What the dispatcher shall do next.
struct GiveJobs {
  WorkerId worker;
  std::vector<JobId> jobs;
};
struct GiveBegin {
  WorkerId worker;
  JobId job;
};
struct GiveExtent {
  WorkerId worker;
  JobId job;
  Extent extent;
};
struct TellCovered {
  WorkerId worker;
  JobId job;
  std::vector<Extent> extents;
};
struct GiveFinish {
  WorkerId worker;
  JobId job;
  std::optional<Error> error;
};
struct TellCancel {
  WorkerId worker;
  JobId job;
  Error error;
};
struct TakeBack {
  WorkerId worker;
  std::uint32_t most;
};
using Command = std::variant<GiveJobs, GiveBegin, GiveExtent, TellCovered, GiveFinish, TellCancel, TakeBack>;

/// What helpers of a striped file need to know, as its owner announced it.
struct StripedFile {
  Fid dfid;
  std::uint64_t size = 0;
  std::uint64_t stripe_size = 0;
  std::string token;
  std::uint64_t granule = std::uint64_t{1} << 20;  ///< extents are multiples of it
};

/// Actions by what they ask for.
struct QueueCounts {
  std::uint64_t archive = 0;
  std::uint64_t restore = 0;
  std::uint64_t remove = 0;
  std::uint64_t other = 0;  ///< unknown kinds, only to be refused

  [[nodiscard]] std::uint64_t& of(ActionKind kind) {
    switch (kind) {
      case ActionKind::archive: return archive;
      case ActionKind::restore: return restore;
      case ActionKind::remove: return remove;
      default: return other;
    }
  }
};

/// A large file that has been begun, for people.
struct StripedProgress {
  JobId job = 0;
  WorkerId owner = -1;
  std::uint64_t size = 0;
  std::uint64_t done = 0;  ///< bytes of extents that are copied
  std::uint32_t extents_done = 0;
  std::uint32_t extents_running = 0;
};

enum class CancelEffect { unknown_cookie, will_be_ended, too_late };

class Scheduler {
 public:
  explicit Scheduler(SchedulerOptions options);

  // What happened. Answers about jobs that are not (or not in that way) with that worker return
  // nothing or false and change nothing.

  bool add_worker(WorkerId worker, std::uint32_t slots, const std::string& host);
  /// Take in an ARCHIVE, RESTORE or REMOVE, or with `reject_errno` anything that must be refused.
  /// Null: a duplicate, dropped. One that a cancel() came before is taken in to be refused.
  const JobRecord* add(ActionItem item, int reject_errno = 0, Precedence precedence = Precedence::others);
  CancelEffect cancel(std::int32_t mdt_index, std::uint64_t cookie);
  CancelEffect cancel(JobId job);
  /// A worker found the file to be large: it was not begun.
  bool found_large(WorkerId worker, JobId job, std::uint64_t size);
  /// The owner began a large file, of which `done` (as for ExtentCutter) needs no copying.
  bool begun(WorkerId worker, JobId job, StripedFile file, std::vector<Extent> done = {});
  /// An extent was copied, synced and closed, or failed.
  bool extent_done(WorkerId worker, JobId job, Extent extent, const std::optional<Error>& error);
  /// The owner learnt that the action must stop.
  bool trouble(WorkerId worker, JobId job, const Error& error);
  /// The worker ended the action. Return it when it is now final.
  std::optional<ActionItem> ended(WorkerId worker, JobId job, std::chrono::microseconds took);
  /// The worker gave the action up, and its coordinator took no end of it, as it did not know it (any more). True: that coordinator
  /// has sent it again meanwhile, so it is queued anew. False: it is to be reported as ended().
  bool begin_again(WorkerId worker, JobId job, std::chrono::microseconds took);
  /// The coordinator of a job that waits here does not know it (any more), so it needs no end: return it, it is final. Nothing, when
  /// it was sent again since, or is not only waiting: who begins or ends it will learn it.
  std::optional<ActionItem> forget(JobId job);
  /// Jobs that the worker had not started come back.
  void returned(WorkerId worker, const std::vector<JobId>& jobs);

  /// End everything that has not begun with `sys_errno`, take back what workers have not started, and
  /// refuse what still comes in.
  void drain(int sys_errno);
  /// Stop what runs, too.
  void stop_running(const Error& error);
  /// Let owners know what was copied of their files since the last call.
  void report_coverage();

  /// A quarter of the keep-alive interval is over. Return the jobs that have waited for another whole
  /// interval and are not known to be copied: somebody should tell their coordinators that they are not lost. One that a rank has may run.
  static constexpr int k_keep_alive_rounds = 4;
  [[nodiscard]] std::vector<JobId> keep_alive_round();

  /// Return what to do next, or nothing until something happens.
  [[nodiscard]] std::optional<Command> next();

  [[nodiscard]] const JobRecord* find(JobId job) const { return m_jobs.find(job); }
  [[nodiscard]] const StripedFile* striped(JobId job) const;
  [[nodiscard]] bool idle() const { return m_jobs.empty(); }
  /// Actions that are not final, and those of them that no worker has yet.
  [[nodiscard]] std::size_t unfinished() const { return m_jobs.size(); }
  [[nodiscard]] std::size_t queued() const { return m_queued; }
  /// The same by kind.
  [[nodiscard]] const QueueCounts& unfinished_by_kind() const { return m_unfinished_of; }
  [[nodiscard]] const QueueCounts& queued_by_kind() const { return m_queued_of; }
  /// The large files that have been begun first, at most `most`.
  [[nodiscard]] std::vector<StripedProgress> striped_files(std::size_t most) const;
  /// A worker that has an action, or an extent of one, to end; -1 when none has.
  [[nodiscard]] WorkerId any_holder();

 private:
  enum Class : std::size_t { k_waited_for, k_restore, k_remove, k_archive, k_bulk, k_classes };
  struct Stripe {
    StripedFile file;
    ExtentCutter cutter;
    WorkerId owner;
    std::vector<std::pair<WorkerId, Extent>> running;
    std::vector<Extent> fresh;  // done, the owner does not know yet
    std::optional<Error> error;
    bool finishing = false;
    std::uint64_t done_bytes = 0;
    std::uint32_t done_extents = 0;
  };
  struct LargeKey {
    Class priority;
    std::uint64_t minus_size;
    JobId job;
    auto operator<=>(const LargeKey&) const = default;
  };

  static Class class_of(const JobRecord& job);
  static Precedence precedence_of(const JobRecord& job) { return job.is_bulk ? Precedence::bulk : Precedence::others; }
  static LargeKey large_key(const JobRecord& job);
  JobRecord* held_by(WorkerId worker, JobId job);
  void enqueue(JobRecord& job);
  void count_queued(const JobRecord& job);
  void count_taken(const JobRecord& job);
  void refuse(JobRecord& job, int sys_errno);
  CancelEffect cancel(JobRecord& job);
  void give(JobRecord& job, WorkerId worker, JobState state);
  bool take_from(JobRecord& job, std::chrono::microseconds took);
  ActionItem erase(JobRecord& job);
  void fail_stripe(JobId job, Stripe& stripe, const Error& error);
  void finish_if_complete(JobId job, Stripe& stripe);
  JobRecord* front_ready();
  std::optional<Command> next_refusals();
  std::optional<Command> next_extent();
  std::optional<Command> next_begin();
  std::optional<Command> next_jobs();

  SchedulerOptions m_options;
  JobTable m_jobs;
  WorkerPool m_workers;
  std::array<std::deque<JobId>, k_classes> m_ready;  // may hold ids that are gone or were moved
  std::deque<JobId> m_refused;
  std::vector<WorkerId> m_refusers;  // all workers, in turn
  std::size_t m_next_refuser = 0;
  EarlyCancels m_early_cancels;
  std::uint32_t m_round = 0;
  std::set<LargeKey> m_large;
  std::map<JobId, Stripe> m_stripes;
  std::deque<JobId> m_open_stripes;  // with extents to cut, in the order they were begun
  std::size_t m_beginning = 0;
  std::size_t m_queued = 0;
  QueueCounts m_queued_of;
  QueueCounts m_unfinished_of;
  std::deque<Command> m_tell;
  int m_drain_errno = 0;
};

}  // namespace lhsm::plan
