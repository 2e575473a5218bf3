// SPDX-License-Identifier: LGPL-2.1-or-later
// What the dispatcher tells a job, and what becomes of its items.
#include <algorithm>

#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "lhsmtool_mpi/bulk/job.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::bulk {

using store::ItemOutcome;
using store::ItemResult;

namespace {

constexpr std::chrono::milliseconds k_longest_delay{60'000};

/// Whether another attempt may end otherwise.
bool may_pass(const Error& error) {
  // The coordinator does not know its own request any more: it was restarted.
  if (error.operation == lustre::k_begin_action || error.operation == lustre::k_report_progress ||
      error.operation == lustre::k_end_action)
    if (error.kind == ErrorKind::not_found) return true;
  // ENOENT here: the request ran into the coordinator's timeout; nobody cancelled it.
  if (error.kind == ErrorKind::cancelled) return error.sys_errno == ENOENT;
  switch (error.kind) {
    case ErrorKind::io:
    case ErrorKind::no_space:
    case ErrorKind::changed:
    case ErrorKind::busy:
    case ErrorKind::timeout: return true;
    default: return false;
  }
}

}  // namespace

bool Job::is_of(const ActionItem& item) const { return item_action_of(item.kind) == m_options.action; }

bool Job::has(const ActionItem& item) const {
  const Lock lock(m_mutex);
  return is_of(item) && m_flights.contains(item.fid);
}

void Job::taken_in(const ActionItem& item) {
  const Lock lock(m_mutex);
  const auto at = m_flights.find(item.fid);
  if (at == m_flights.end() || !is_of(item)) return;
  Flight& flight = at->second;
  if (flight.phase != Phase::taken_in) m_window.saw_running(++m_running);
  flight.phase = Phase::taken_in;
  flight.is_ours = true;
  flight.since = m_clock.now();
  append(store::RequestRecord{flight.row.row, item.cookie, wall_clock_ns()});
  m_changed.notify_all();  // the window may have grown
}

void Job::ended(const ActionItem& item, const run::ActionOutcome& done) {
  const Lock lock(m_mutex);
  const auto at = m_flights.find(item.fid);
  if (at == m_flights.end() || !at->second.is_ours || !is_of(item)) return;
  if (done.put_back) {  // the run is stopping: it stays to be done, as far as it is not
    --m_running;
    m_deadline.over(bytes_to_move(at->second.row));
    m_flights.erase(at);
    return;
  }
  ItemOutcome outcome;
  outcome.rank = done.worker;
  outcome.bytes_copied = done.bytes_moved;
  outcome.seconds = std::chrono::duration<float>(done.took).count();
  if (done.error) return attempt_failed(at, *done.error, outcome);
  m_failures.succeeded();
  ++m_successes;
  m_deadline.succeeded(bytes_to_move(at->second.row), done.took);
  outcome.result = ItemResult::done;
  outcome.has_digest = done.digest.has_value();
  if (done.digest) outcome.digest = *done.digest;
  outcome.attempts = at->second.row.attempts + 1;
  conclude(at, outcome);
}

/// Another attempt, or the end of it.
void Job::attempt_failed(Flights::iterator at, const Error& error, ItemOutcome outcome) {
  const TimePoint now = m_clock.now();
  const Flight& flight = at->second;
  // A file of which nothing was begun, and that is gone: so the user wanted it. Requests that the coordinator had given to a
  // copytool that is dead run into its timeout all at once.
  const bool tells_nothing = error.kind == ErrorKind::not_found || (flight.is_inherited && error.kind == ErrorKind::timeout);
  if (flight.is_ours || !tells_nothing) m_failures.failed(error, now);
  if (!m_failures.verdict().empty()) stop_locked(m_failures.verdict());
  outcome.sys_errno = error.sys_errno;
  const bool counts = error.kind != ErrorKind::no_space || !may_fit_later(flight.row);
  outcome.attempts = flight.row.attempts + (counts ? 1 : 0);
  const bool again = may_pass(error) && (!counts || outcome.attempts < m_options.attempts);
  if (!again) {
    outcome.result = error.kind == ErrorKind::cancelled ? ItemResult::cancelled : ItemResult::failed;
    if (outcome.result == ItemResult::failed) ++m_progress.errors[Error{error.kind, error.sys_errno, error.operation, ""}.describe()];
    conclude(at, outcome);
    return;
  }
  Row row = flight.row;
  row.attempts = outcome.attempts;
  outcome.result = ItemResult::pending;
  record(row, outcome);
  const auto delay = m_options.first_delay * (1U << std::min(row.attempts, 16U)) / 2;
  const TimePoint due = std::max(now + std::min<Duration>(delay, k_longest_delay), m_failures.paused_until());
  m_retries.emplace(due, row);
  m_deadline.over(bytes_to_move(row));
  for (const Row& twin : flight.twins) {
    m_deadline.over(bytes_to_move(twin));
    m_retries.emplace(due, twin);
  }
  forget_partial(flight, true);
  if (flight.is_ours) --m_running;
  m_flights.erase(at);
  m_changed.notify_all();
}

/// What could not be stored for want of space is not the file's failure, unless there was space for others since it last was not.
bool Job::may_fit_later(const Row& row) {
  const auto [at, is_new] = m_did_not_fit.try_emplace(row.row, m_successes);
  const bool others_fitted = !is_new && at->second != m_successes;
  at->second = m_successes;
  return !others_fitted;
}

void Job::conclude(Flights::iterator at, ItemOutcome outcome) {
  Flight flight = std::move(at->second);
  if (flight.is_ours) --m_running;
  m_flights.erase(at);
  outcome.first_start_ns = flight.row.first_start_ns;
  outcome.last_start_ns = flight.started_ns;
  outcome.end_ns = wall_clock_ns();
  record(flight.row, outcome);
  m_did_not_fit.erase(flight.row.row);
  m_source.over(flight.row);
  m_deadline.over(bytes_to_move(flight.row));
  ++m_progress.totals.results.at(static_cast<std::size_t>(outcome.result));
  m_progress.totals.bytes_copied += outcome.bytes_copied;
  m_progress.final_bytes += flight.row.size;
  if (outcome.result == ItemResult::done) m_progress.done_bytes += bytes_to_move(flight.row);
  if (m_options.action == store::ItemAction::import) {
    look_again_at(flight.twins);
    flight.twins.clear();
  }
  // A file that is listed twice is done once.
  if (outcome.result == ItemResult::done) outcome.result = ItemResult::already;
  outcome.bytes_copied = 0;
  outcome.seconds = 0;
  for (const Row& twin : flight.twins) {
    record(twin, outcome);
    m_source.over(twin);
    m_deadline.over(bytes_to_move(twin));
    ++m_progress.totals.results.at(static_cast<std::size_t>(outcome.result));
    m_progress.final_bytes += twin.size;
  }
  forget_partial(flight, false);
  check_end();
  m_changed.notify_all();
}

/// Further names of a file that was imported: each has to be made, too.
void Job::look_again_at(const std::vector<Row>& twins) {
  for (const Row& twin : twins) {
    m_deadline.over(bytes_to_move(twin));
    m_buckets[twin.mdt_index].push_front(twin);
    ++m_in_buckets;
  }
}

void Job::record(const Row& row, const ItemOutcome& outcome) { append(store::ItemResultRecord{row.row, outcome, std::nullopt}); }

void Job::append(const store::JournalRecord& record) {
  if (m_progress.broken) return;
  const auto sequence = m_journal.append(record);
  if (!sequence) return broke(sequence.error());
  m_last_record = *sequence;
}

void Job::broke(const Error& error) {
  if (!m_progress.broken) m_progress.broken = error;
  check_end();
}

void Job::check_end() {
  if (m_source_is_empty && m_in_buckets == 0 && m_flights.empty() && m_retries.empty() && !judges_anew()) {
    if (m_progress.left_for_later == 0)
      m_progress.finished = true;
    else if (m_progress.stopped_because.empty())
      m_progress.stopped_because = "what is left would not end before the deadline";
  }
  if (!is_over() || m_told) return;
  m_told = true;
  m_changed.notify_all();
  m_on_end();
}

}  // namespace lhsm::bulk
