// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/job.hpp"

#include <algorithm>
#include <thread>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::bulk {

using store::ItemOutcome;
using store::ItemResult;

namespace {

constexpr std::chrono::milliseconds k_journal_wait{10};
/// Rows that are read ahead, to fill the lists of several MDTs.
constexpr std::size_t k_read_ahead = 8 * lustre::k_most_requested;
/// Results that are not durable yet: when the journal's disk is slower than the copies, they wait for it.
constexpr std::uint64_t k_most_pending_bytes = std::uint64_t{64} << 20U;

}  // namespace

Job::Job(RowSource& source, store::Journal& journal, JobOptions options, const Clock& clock, std::function<void()> on_end)
    : m_source(source),
      m_journal(journal),
      m_options(std::move(options)),
      m_clock(clock),
      m_on_end(std::move(on_end)),
      m_window(m_options.max_inflight, m_options.least_inflight),
      m_failures(m_options.failures),
      m_deadline(m_options.deadline) {
  m_rate.set(m_options.limits.files_per_second, m_clock.now());
}

bool Job::is_over() const {
  return m_progress.finished || m_progress.broken.has_value() || !m_progress.stopped_because.empty();
}

/// How many rows may be put in flight now.
std::size_t Job::room() {
  std::size_t limit = m_window.limit();
  if (const auto of_action = m_options.limits.inflight.find(m_options.action); of_action != m_options.limits.inflight.end())
    limit = std::min(limit, of_action->second);
  if (m_failures.lacks_space()) limit = std::min<std::size_t>(limit, 1);  // one shows whether there is some again
  return m_rate.available(m_clock.now(), m_flights.size() < limit ? limit - m_flights.size() : 0);
}

void Job::set_limits(const JobLimits& limits) {
  const Lock lock(m_mutex);
  m_options.limits = limits;
  m_rate.set(limits.files_per_second, m_clock.now());
  m_changed.notify_all();
}

std::vector<Row> Job::next_batch() {
  Lock lock(m_mutex);
  for (;;) {
    stop_at_deadline();
    if (is_over()) return {};
    if (auto batch = take_batch(lock); !batch.empty() || is_over()) return batch;
    const TimePoint now = m_clock.now();
    const bool paused = now < m_failures.paused_until();
    // Until something ends, a retry is due, a pause is over, or the journal has caught up.
    TimePoint until = now + std::chrono::seconds(1);
    if (m_deadline.stop_at()) until = std::min(until, *m_deadline.stop_at());
    if (paused) until = std::min(until, m_failures.paused_until());
    if (!paused && m_rate.is_limited() && m_rate.available(now, 1) == 0) until = std::min(until, m_rate.due());
    if (!m_retries.empty() && !paused) until = std::min(until, std::max(m_retries.begin()->first, now + k_journal_wait));
    m_changed.wait_until(lock, until);
  }
}

std::vector<Row> Job::batch_now() {
  Lock lock(m_mutex);
  stop_at_deadline();
  return is_over() ? std::vector<Row>() : take_batch(lock);
}

/// Return what may be asked for now; nothing, too, when that was found to be the end.
std::vector<Row> Job::take_batch(Lock& lock) {
  for (;;) {
    const std::uint64_t passed_over = m_progress.left_for_later;
    m_has_more_to_search = false;
    auto batch = try_to_take_batch();
    if (!batch.empty() || is_over()) return batch;
    if (m_progress.left_for_later == passed_over && !m_has_more_to_search) return {};
    // Others wait for the lock while a manifest of late, or of finished, files is gone through.
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
    if (is_over()) return {};
  }
}

std::vector<Row> Job::try_to_take_batch() {
  // A journal that cannot be written takes nothing more; where nothing is in flight only this shows it.
  if (const auto durable = m_journal.durable(); !durable.status) {
    broke(durable.status.error());
    return {};
  }
  const bool paused = m_clock.now() < m_failures.paused_until();
  if (!paused && room() > 0 && m_journal.pending_bytes() < k_most_pending_bytes) {
    fill_buckets();
    if (is_over()) return {};
    if (auto batch = take_bucket(); !batch.empty()) return batch;
  }
  check_end();
  return {};
}

/// Read until an MDT's list is full, or enough is read for all of them.
void Job::fill_buckets() {
  while (m_in_buckets < k_read_ahead) {
    // Where there is no space a file that did not fit does not show whether there is some for others.
    std::optional<Row> row;
    if (!m_failures.lacks_space()) row = due_retry();
    if (!row && !m_source_is_empty) {
      auto next = m_source.next();
      if (!next) return broke(next.error());
      row = *next;
      m_source_is_empty = !row && m_source.is_exhausted();
      m_has_more_to_search = !row && m_source.has_more_to_search();
      if (row && m_adopted.erase(row->row) > 0) {
        m_source.over(*row);
        continue;
      }
    }
    if (!row) row = due_retry();
    if (!row) return;
    auto& bucket = m_buckets[row->mdt_index];
    bucket.push_back(*row);
    ++m_in_buckets;
    if (bucket.size() >= lustre::k_most_requested) return;
  }
}

std::optional<Row> Job::due_retry() {
  if (m_retries.empty() || m_retries.begin()->first > m_clock.now()) return std::nullopt;
  const Row row = m_retries.begin()->second;
  m_retries.erase(m_retries.begin());
  return row;
}

std::vector<Row> Job::take_bucket() {
  std::vector<Row> batch;
  while (batch.empty() && m_in_buckets > 0) {
    const auto fullest = std::max_element(m_buckets.begin(), m_buckets.end(), [](const auto& a, const auto& b) {
      return a.second.size() < b.second.size();
    });
    const std::size_t most = std::min(room(), lustre::k_most_requested);
    auto& rows = fullest->second;
    for (; !rows.empty() && batch.size() < most; rows.pop_front(), --m_in_buckets)
      if (!take_off_in_time(rows.front(), batch)) return batch;
    if (rows.empty()) m_buckets.erase(fullest);
  }
  return batch;
}

/// Put a row in flight, into the batch too unless its file is in flight already.
void Job::take_off(const Row& row, std::vector<Row>& batch) {
  const auto [at, is_new] = m_flights.try_emplace(row.fid);
  Flight& flight = at->second;
  if (!is_new) {
    flight.twins.push_back(row);
    return;
  }
  flight.row = row;
  flight.since = m_clock.now();
  flight.started_ns = wall_clock_ns();
  if (flight.row.first_start_ns == 0) flight.row.first_start_ns = flight.started_ns;
  flight.is_inherited = m_taken_off < m_options.maybe_asked_before;
  if (flight.is_inherited) ++m_taken_off;
  batch.push_back(flight.row);
  m_rate.take(1);
}

/// None when it has ended meanwhile, even if the file is in flight anew.
Job::Flights::iterator Job::flight_of(const Row& row) {
  const auto flight = m_flights.find(row.fid);
  const bool is_it = flight != m_flights.end() && flight->second.row.row == row.row && flight->second.row.attempts == row.attempts;
  return is_it ? flight : m_flights.end();
}

void Job::asked(const std::vector<Row>& rows) {
  const Lock lock(m_mutex);
  for (const Row& row : rows) {
    const auto flight = flight_of(row);
    if (flight == m_flights.end() || flight->second.phase != Phase::asking) continue;  // taken in meanwhile
    flight->second.phase = Phase::asked;
    flight->second.since = m_clock.now();
    append(store::RequestRecord{row.row, std::nullopt, wall_clock_ns()});
  }
}

void Job::settled(const Row& row, ItemResult result, const Error& why, WorkerId rank) {
  const Lock lock(m_mutex);
  const auto flight = flight_of(row);
  if (flight == m_flights.end() || flight->second.is_ours) return;
  ItemOutcome outcome;
  outcome.result = result;
  outcome.sys_errno = why.sys_errno;
  outcome.rank = rank;
  const bool was_tried = flight->second.phase != Phase::asking || result == ItemResult::done;
  outcome.attempts = row.attempts + (was_tried ? 1 : 0);
  if (result == ItemResult::done) {
    m_failures.succeeded();
    ++m_successes;
    m_deadline.succeeded(bytes_to_move(row), {});
  }
  if (result == ItemResult::refused) {
    log::warning("{} is refused: {}", row.fid.bracketed(), why.operation);
    ++m_progress.errors[why.operation];
  }
  conclude(flight, outcome);
}

void Job::failed(const Row& row, const Error& error) {
  const Lock lock(m_mutex);
  const auto flight = flight_of(row);
  if (flight == m_flights.end() || flight->second.is_ours) return;
  attempt_failed(flight, error, {});
}

void Job::given_back(const Row& row) {
  const Lock lock(m_mutex);
  const auto flight = flight_of(row);
  if (flight == m_flights.end() || flight->second.phase != Phase::asking) return;
  m_deadline.over(bytes_to_move(row));
  m_buckets[row.mdt_index].push_front(row);
  ++m_in_buckets;
  for (const Row& twin : flight->second.twins) {
    m_deadline.over(bytes_to_move(twin));
    m_buckets[row.mdt_index].push_back(twin);
    ++m_in_buckets;
  }
  m_flights.erase(flight);
  m_changed.notify_all();
}

std::vector<Job::Unanswered> Job::unanswered(std::chrono::milliseconds age, std::size_t most) {
  const Lock lock(m_mutex);
  const TimePoint now = m_clock.now();
  std::vector<std::pair<TimePoint, Row>> found;
  for (const auto& [fid, flight] : m_flights)
    if (flight.phase == Phase::asked && now - flight.since >= age) found.emplace_back(flight.since, flight.row);
  const auto older = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (found.size() > most) {
    std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(most), found.end(), older);
    found.resize(most);
  }
  std::vector<Unanswered> rows;
  for (const auto& [since, row] : found) {
    Flight& flight = m_flights.at(row.fid);
    flight.since = now;  // looked at
    rows.push_back({row, ++flight.looks});
  }
  return rows;
}

void Job::adopt(const Row& row, bool is_ours) {
  const Lock lock(m_mutex);
  m_adopted.insert(row.row);
  m_deadline.begun(bytes_to_move(row), m_clock.now());
  const auto [at, is_new] = m_flights.try_emplace(row.fid);
  Flight& flight = at->second;
  if (!is_new) {
    flight.twins.push_back(row);
    return;
  }
  flight.row = row;
  flight.is_ours = is_ours;
  flight.is_inherited = true;
  flight.phase = is_ours ? Phase::taken_in : Phase::asked;
  flight.since = m_clock.now();
  flight.started_ns = wall_clock_ns();
  if (is_ours) ++m_running;
}

bool Job::goes_on_after(std::chrono::milliseconds time) {
  Lock lock(m_mutex);
  stop_at_deadline();
  return !m_changed.wait_until(lock, m_clock.now() + time, [this] { return is_over(); });
}

void Job::give_up(const Error& why) {
  const Lock lock(m_mutex);
  broke(why);
}

void Job::stop(const std::string& because) {
  const Lock lock(m_mutex);
  stop_locked(because);
}

void Job::stop_locked(const std::string& because) {
  if (is_over()) return;
  m_progress.stopped_because = because;
  check_end();
}

std::uint64_t Job::last_record() const {
  const Lock lock(m_mutex);
  return m_last_record;
}

JobProgress Job::progress() const {
  const Lock lock(m_mutex);
  JobProgress progress = m_progress;
  progress.inflight = m_flights.size();
  progress.retrying = m_retries.size();
  progress.lacks_space = m_failures.lacks_space();
  return progress;
}

}  // namespace lhsm::bulk
