// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A bulk job while it runs: which items are to be asked for next, which are at the coordinator, what became of them.
// It knows neither Lustre nor threads of its own: an Asker asks and looks, the dispatcher tells what was taken in and
// what ended, and every result goes into the journal. All calls may be made from any thread.
//
// Memory: what is at the coordinator (the window), what waits for another attempt, one slice of the manifest, and, until
// they are begun, the digests of the extents of large archives that an earlier run left: 16 bytes for each MiB of these.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/bulk/deadline_watch.hpp"
#include "lhsmtool_mpi/bulk/failure_watch.hpp"
#include "lhsmtool_mpi/bulk/file_rate.hpp"
#include "lhsmtool_mpi/bulk/request_window.hpp"
#include "lhsmtool_mpi/bulk/row_source.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/run/run_state.hpp"
#include "lhsmtool_mpi/run/unfinished_copies.hpp"
#include "lhsmtool_mpi/store/journal.hpp"
#include "lhsmtool_mpi/store/replay.hpp"

namespace lhsm::bulk {

/// What may be changed while a job runs.
struct JobLimits {
  std::uint64_t files_per_second = 0;  ///< that are taken up; 0: no limit
  std::map<store::ItemAction, std::size_t> inflight;  ///< requests at the coordinator, by what they ask for

  friend bool operator==(const JobLimits&, const JobLimits&) = default;
};

struct JobOptions {
  store::ItemAction action = store::ItemAction::none;
  std::size_t max_inflight = 10'000;      ///< requests at the coordinator
  std::size_t least_inflight = 2 * lustre::k_most_requested;  ///< that may always be there
  JobLimits limits;
  std::size_t maybe_asked_before = 0;     ///< the first so many files may have been asked for by a run that died
  std::uint32_t attempts = 3;             ///< of an item, before it is given up
  std::chrono::milliseconds first_delay{1'000};  ///< until the second attempt; doubles
  FailureWatch::Options failures;
  DeadlineWatch::Options deadline;
};

/// How far a job is.
struct JobProgress {
  store::RunTotals totals;        ///< of this run
  std::uint64_t final_bytes = 0;  ///< sizes of the items that got a result in this run
  std::uint64_t done_bytes = 0;   ///< of those that are done, without what earlier runs had copied
  std::uint64_t inflight = 0;     ///< asked for, not ended
  std::uint64_t retrying = 0;     ///< wait for another attempt
  std::uint64_t left_for_later = 0;  ///< passed over: they would not end before the deadline
  bool finished = false;          ///< nothing is left to do
  bool lacks_space = false;       ///< it pauses, or tries one file after the other, until there is some
  std::string stopped_because;    ///< empty: it was not
  std::optional<Error> broken;    ///< the journal or the manifest cannot be used: nothing counts any more
  std::map<std::string, std::uint64_t> errors;  ///< of items that were given up, by text without the subject; of what was refused, by the reason
};

class Job final : public run::UnfinishedCopies {
 public:
  /// `source` and `journal` outlive the job. `on_end` is called once, from any thread, when everything is final, or the
  /// job cannot go on; it must not call the job back.
  Job(RowSource& source, store::Journal& journal, JobOptions options, const Clock& clock, std::function<void()> on_end);

  /// Take up what earlier runs had copied of large files, by row. Once, before anything is asked for.
  void go_on_with(std::map<std::uint64_t, store::PartialFile> partial);

  // For askers.

  /// Wait for room and return rows to ask for: one MDT's, at most lustre::k_most_requested; they are in flight from here
  /// on. Empty: the job is over or stopped. Each row is answered by exactly one of asked(), settled(), failed(), given_back().
  [[nodiscard]] std::vector<Row> next_batch();
  /// The same without waiting: empty also when there is nothing now.
  [[nodiscard]] std::vector<Row> batch_now();
  /// The coordinator has taken the requests.
  void asked(const std::vector<Row>& rows);
  /// There was nothing to ask for, or somebody else (`rank`, when it is one of ours) has done it, or it cannot be.
  /// What is refused says `why`.
  void settled(const Row& row, store::ItemResult result, const Error& why, WorkerId rank = -1);
  /// An attempt failed before an action of it could; tried again where that may help. What `not_found` says of a file itself, that
  /// it is gone, tells nothing about how the job goes.
  void failed(const Row& row, const Error& error);
  /// It was not looked at: it goes to the front.
  void given_back(const Row& row);
  struct Unanswered {
    Row row;
    unsigned looks = 0;  ///< how many times it was returned, this one included
  };
  /// Return rows that were asked for, or last looked at, `age` ago, and that no copytool of this job has: at most `most`.
  [[nodiscard]] std::vector<Unanswered> unanswered(std::chrono::milliseconds age, std::size_t most);
  /// Take a row in that an earlier run had asked for; `is_ours` when this run carries out its action itself.
  void adopt(const Row& row, bool is_ours);
  /// Wait until the job is over or stopped, or this time has passed. Return whether it goes on.
  [[nodiscard]] bool goes_on_after(std::chrono::milliseconds time);

  // For the dispatcher.

  [[nodiscard]] bool has(const ActionItem& item) const;
  void taken_in(const ActionItem& item);
  void ended(const ActionItem& item, const run::ActionOutcome& outcome);
  // What is done of large archives goes into the journal, and comes back from there.
  [[nodiscard]] std::set<std::string> wanted_objects() const override;
  [[nodiscard]] std::optional<run::CopyVersion> known(const ActionItem& item) const override;
  [[nodiscard]] std::vector<run::CopiedPiece> take(const ActionItem& item) override;
  [[nodiscard]] bool piece_done(const ActionItem& item, const run::CopyVersion& version, run::CopiedPiece piece) override;

  /// From now on.
  void set_limits(const JobLimits& limits);
  /// The job is not ours any more: ask for nothing, and record nothing.
  void give_up(const Error& why);
  /// Ask for nothing more. What is in flight may still end.
  void stop(const std::string& because);
  [[nodiscard]] JobProgress progress() const;
  /// Return the sequence of the last record that went into the journal.
  [[nodiscard]] std::uint64_t last_record() const;

 private:
  enum class Phase : std::uint8_t { asking, asked, taken_in };
  struct Flight {
    Row row;
    Phase phase = Phase::asking;
    bool is_ours = false;              // the action is in our dispatcher's hands
    bool is_inherited = false;         // an earlier run may have asked for it
    TimePoint since;
    std::int64_t started_ns = 0;
    unsigned looks = 0;                // as unanswered
    std::vector<Row> twins;            // the same file, listed again: has the same result, but of an import
  };
  using Flights = std::unordered_map<Fid, Flight>;
  using Lock = std::unique_lock<std::mutex>;

  [[nodiscard]] Flights::iterator flight_of(const Row& row);
  void fill_buckets();
  [[nodiscard]] std::vector<Row> take_batch(Lock& lock);
  [[nodiscard]] std::vector<Row> try_to_take_batch();
  [[nodiscard]] std::vector<Row> take_bucket();
  [[nodiscard]] bool take_off_in_time(const Row& row, std::vector<Row>& batch);
  void pass_over(const Row& row);
  [[nodiscard]] bool judges_anew();
  [[nodiscard]] std::optional<Row> due_retry();
  void stop_at_deadline();
  [[nodiscard]] std::uint64_t bytes_to_move(const Row& row) const;
  void take_off(const Row& row, std::vector<Row>& batch);
  void conclude(Flights::iterator flight, store::ItemOutcome outcome);
  void look_again_at(const std::vector<Row>& twins);
  void attempt_failed(Flights::iterator flight, const Error& error, store::ItemOutcome outcome);
  [[nodiscard]] bool may_fit_later(const Row& row);
  void record(const Row& row, const store::ItemOutcome& outcome);
  void append(const store::JournalRecord& record);
  void broke(const Error& error);
  void stop_locked(const std::string& because);
  void check_end();
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] std::size_t room();
  [[nodiscard]] bool is_of(const ActionItem& item) const;
  [[nodiscard]] std::optional<std::uint64_t> partial_row(const ActionItem& item) const;
  void forget_partial(const Flight& flight, bool only_begun);

  RowSource& m_source;
  store::Journal& m_journal;
  JobOptions m_options;
  const Clock& m_clock;
  std::function<void()> m_on_end;

  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  RequestWindow m_window;
  FileRate m_rate;
  FailureWatch m_failures;
  DeadlineWatch m_deadline;
  std::vector<Row> m_passed_over;   // as many as are kept, and judged anew when all else is done
  std::uint64_t m_judged_with = 0;  // m_successes as it was when these were last judged anew
  bool m_source_is_empty = false;
  bool m_has_more_to_search = false;
  std::map<std::uint32_t, std::deque<Row>> m_buckets;  // by MDT: read, not yet in flight
  std::size_t m_in_buckets = 0;
  std::set<std::uint64_t> m_adopted;  // rows that the source has still to come to
  Flights m_flights;
  std::size_t m_running = 0;                         // of them taken in
  std::size_t m_taken_off = 0;                       // all that were in flight, up to maybe_asked_before
  std::multimap<TimePoint, Row> m_retries;
  std::uint64_t m_successes = 0;
  std::map<std::uint64_t, std::uint64_t> m_did_not_fit;  // rows that wait for space, and m_successes as it was then
  // Files of which extents are in the journal: what these are copied to, and until this run begins them the extents.
  std::map<std::uint64_t, store::PartialFile> m_partial;
  std::map<std::uint64_t, std::uint64_t> m_kept;  // bytes of these that an earlier run left, until their next attempt is over
  JobProgress m_progress;
  std::uint64_t m_last_record = 0;
  bool m_told = false;
};

}  // namespace lhsm::bulk
