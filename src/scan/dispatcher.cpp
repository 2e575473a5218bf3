// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "lhsmtool_mpi/comm/roll_call.hpp"
#include "row_writer.hpp"

namespace lhsm::scan {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_wait = 50ms;
constexpr std::size_t k_list_tasks_ahead = 16;  // for each rank that has nothing to do

}  // namespace

Dispatcher::Dispatcher(comm::Channel& channel, int ranks, comm::Likeness likeness, RowSink& sink, ScanObserver& observer)
    : m_channel(channel),
      m_likeness(std::move(likeness)),
      m_sink(sink),
      m_observer(observer),
      m_ranks(static_cast<std::size_t>(ranks)) {}

void Dispatcher::greet() { std::ignore = comm::greet(m_channel, static_cast<int>(m_ranks.size()), m_likeness, m_stop); }

bool Dispatcher::run(std::vector<comm::ScanTask> tasks, ListFeeder* list) {
  RowWriter writer(m_sink, [this] { m_channel.wake(); });
  m_writer = &writer;
  const struct Forget {
    RowWriter*& writer;
    ~Forget() { writer = nullptr; }  // also when this is left by an exception
  } forget{m_writer};
  for (comm::ScanTask& task : tasks) m_pool.push_back(std::move(task));
  // A greeting may have come with news that was passed over: what a rank has not got it has nothing of.
  for (Rank& rank : m_ranks) rank.state.is_hungry = rank.state.is_idle = true;
  for (;;) {
    feed(list);
    share_out();
    thank();
    m_observer.update(m_totals, std::chrono::steady_clock::now());
    if (m_stop) return false;
    if (is_done(list) && writer.is_empty()) break;
    auto envelope = m_channel.receive(k_wait);
    // What has arrived meanwhile is looked at before work is shared out.
    for (; envelope && !m_stop; envelope = m_channel.receive(Duration::zero()))
      std::visit([&](auto& message) { handle(envelope->peer, message); }, envelope->message);
  }
  thank();
  return true;
}

bool Dispatcher::dismiss() { return comm::dismiss(m_channel, static_cast<int>(m_ranks.size())); }

void Dispatcher::stop() {
  m_stop = true;
  m_channel.wake();
}

void Dispatcher::handle(WorkerId from, comm::ScanTasks& message) {
  Rank& rank = m_ranks.at(static_cast<std::size_t>(from));
  rank.is_recalled = false;
  if (message.tasks.empty()) rank.state.queued = 0;
  for (comm::ScanTask& task : message.tasks) {
    m_totals.moved += task.count;
    m_pool.push_back(std::move(task));
  }
}

void Dispatcher::handle(WorkerId from, const comm::ScanState& message) {
  m_ranks.at(static_cast<std::size_t>(from)).state = message;
}

void Dispatcher::handle(WorkerId from, comm::ScanFound& message) {
  count(message);
  m_writer->add(std::move(message.rows), from);
}

template <class Other>
void Dispatcher::handle(WorkerId from, const Other&) {
  throw Fatal(fmt::format("rank {} sent a message that is not for the dispatcher of a scan", from));
}

void Dispatcher::count(const comm::ScanFound& found) {
  m_totals.files += found.row_count;
  m_totals.bytes += found.bytes;
  m_totals.directories += found.directories;
  m_totals.others += found.others;
  m_totals.filtered += found.filtered;
  m_totals.vanished += found.vanished;
  m_totals.failed_lines += found.failed_lines;
  m_totals.failed_entries += found.failed_entries;
  for (const Error& error : found.problems) m_observer.problem(error);
  if (!found.failed_names.empty()) m_observer.failed_names(found.failed_names);
}

void Dispatcher::feed(ListFeeder* list) {
  if (list == nullptr) return;
  count(list->take_refused());
  while (m_pool.size() < k_list_tasks_ahead * m_ranks.size()) {
    auto task = list->next();
    if (!task) break;
    m_pool.push_back(std::move(*task));
  }
}

void Dispatcher::share_out() {
  std::vector<std::size_t> hungry;
  for (std::size_t i = 0; i < m_ranks.size(); ++i)
    if (m_ranks[i].is_hungry()) hungry.push_back(i);
  for (std::size_t n = hungry.size(); n > 0 && !m_pool.empty(); --n) {
    const std::size_t share = std::min(k_list_tasks_ahead, (m_pool.size() + n - 1) / n);
    comm::ScanTasks message;
    for (std::size_t i = 0; i < share; ++i) {
      message.tasks.push_back(std::move(m_pool.front()));
      m_pool.pop_front();
    }
    Rank& rank = m_ranks[hungry[n - 1]];
    ++rank.sent;
    m_channel.send(static_cast<WorkerId>(hungry[n - 1]), message);
    hungry.pop_back();
  }
  recall(hungry.size());
}

void Dispatcher::recall(std::size_t hungry) {
  std::size_t asked = static_cast<std::size_t>(
      std::count_if(m_ranks.begin(), m_ranks.end(), [](const Rank& rank) { return rank.is_recalled; }));
  while (asked < hungry) {
    const auto richest = std::max_element(m_ranks.begin(), m_ranks.end(), [](const Rank& a, const Rank& b) {
      return (a.is_recalled ? 0 : a.state.queued) < (b.is_recalled ? 0 : b.state.queued);
    });
    if (richest->is_recalled || richest->state.queued == 0) return;
    richest->is_recalled = true;
    m_channel.send(static_cast<WorkerId>(richest - m_ranks.begin()), comm::ScanRecall{});
    ++asked;
  }
}

bool Dispatcher::is_done(const ListFeeder* list) const {
  if (!m_pool.empty()) return false;
  if (list != nullptr) {
    const auto finished = list->is_finished();
    if (!finished) throw Fatal(finished.error());
    if (!*finished) return false;
  }
  return std::all_of(m_ranks.begin(), m_ranks.end(),
                     [](const Rank& rank) { return rank.is_idle() && !rank.is_recalled; });
}

void Dispatcher::thank() {
  while (const auto worker = m_writer->next_taken()) m_channel.send(*worker, comm::ScanTaken{});
  if (const auto error = m_writer->error()) throw Fatal(*error);
}

}  // namespace lhsm::scan
