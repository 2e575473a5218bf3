// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/verify/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "judge.hpp"
#include "lhsmtool_mpi/comm/roll_call.hpp"

namespace lhsm::verify {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_wait = 50ms;
// What a rank has in hand for each of its slots: enough small objects that none waits for the next message, but not so
// many bytes that one rank is left with them at the end.
constexpr std::uint64_t k_most_tasks = 64;
constexpr std::uint64_t k_most_bytes = std::uint64_t{64} << 20U;
constexpr std::size_t k_batch = 32;

}  // namespace

bool Dispatcher::Rank::has_room() const {
  if (tasks < slots) return true;
  return tasks < k_most_tasks * slots && bytes < k_most_bytes * slots;
}

Dispatcher::Dispatcher(comm::Channel& channel, int ranks, comm::Likeness likeness, DispatcherOptions options,
                       Observer& observer)
    : m_channel(channel),
      m_likeness(std::move(likeness)),
      m_options(options),
      m_observer(observer),
      m_ranks(static_cast<std::size_t>(ranks)) {}

void Dispatcher::greet() {
  const auto hellos = comm::greet(m_channel, static_cast<int>(m_ranks.size()), m_likeness, m_stop);
  for (std::size_t i = 0; i < hellos.size(); ++i) m_ranks[i].slots = std::max(hellos[i].slots, 1U);
}

bool Dispatcher::run(const Source& source) {
  for (;;) {
    if (m_stop) return false;
    hand_out(source);
    m_observer.update(m_totals, std::chrono::steady_clock::now());
    if (m_source_is_empty && m_next.empty() && m_open.empty()) return true;
    auto envelope = m_channel.receive(k_wait);
    // What has arrived meanwhile is looked at before more is handed out.
    for (; envelope && !m_stop; envelope = m_channel.receive(Duration::zero())) {
      auto* const results = std::get_if<comm::VerifyResults>(&envelope->message);
      if (results == nullptr)
        throw Fatal(
            fmt::format("rank {} sent a message that is not for the dispatcher of a verification", envelope->peer));
      for (comm::VerifyResult& result : results->results) take(envelope->peer, result);
    }
  }
}

bool Dispatcher::dismiss() { return comm::dismiss(m_channel, static_cast<int>(m_ranks.size())); }

void Dispatcher::stop() {
  m_stop = true;
  m_channel.wake();
}

/// Turn by turn, so that the first objects do not all go to one rank.
void Dispatcher::hand_out(const Source& source) {
  for (bool goes_on = true; goes_on && !m_stop;) {
    goes_on = false;
    for (std::size_t i = 0; i < m_ranks.size(); ++i) {
      Rank& rank = m_ranks[i];
      comm::VerifyTasks message;
      while (rank.has_room() && message.tasks.size() < k_batch) {
        auto task = next_task(source);
        if (!task) break;
        ++rank.tasks;
        rank.bytes += task->extent.length;
        message.tasks.push_back(std::move(*task));
      }
      if (message.tasks.empty()) continue;
      m_channel.send(static_cast<WorkerId>(i), message);
      goes_on = true;
    }
  }
}

std::optional<comm::VerifyTask> Dispatcher::next_task(const Source& source) {
  if (m_next.empty() && !m_source_is_empty) {
    const auto candidate = source();
    if (!candidate) throw Fatal(candidate.error());
    if (*candidate)
      cut(**candidate);
    else
      m_source_is_empty = true;
  }
  if (m_next.empty()) return std::nullopt;
  comm::VerifyTask task = m_next.front();
  m_next.pop_front();
  return task;
}

void Dispatcher::cut(const Candidate& candidate) {
  Open open;
  open.candidate = candidate;
  // Of a file that changed since, the object's size is not known here.
  if (!candidate.size_matters || candidate.size < std::max<std::uint64_t>(m_options.stripe_threshold, 1)) {
    m_next.push_back({candidate.row, candidate.fid, true, candidate.size, {0, candidate.size}});
  } else {
    const std::uint64_t leaf = copy::leaf_bytes(candidate.size);
    const std::uint64_t length = std::max<std::uint64_t>(1, (m_options.extent_bytes + leaf - 1) / leaf) * leaf;
    open.collector.emplace(candidate.size);
    open.extents = 0;
    for (std::uint64_t at = 0; at < candidate.size; at += std::min(length, candidate.size - at), ++open.extents)
      m_next.push_back(
          {candidate.row, candidate.fid, false, candidate.size, {at, std::min(length, candidate.size - at)}});
  }
  m_open.emplace(candidate.row, std::move(open));
}

void Dispatcher::take(WorkerId from, comm::VerifyResult& result) {
  Rank& rank = m_ranks.at(static_cast<std::size_t>(from));
  rank.tasks -= std::min<std::uint64_t>(rank.tasks, 1);
  rank.bytes -= std::min(rank.bytes, result.extent.length);
  m_totals.bytes_read += result.bytes_read;
  const auto at = m_open.find(result.row);
  if (at == m_open.end()) throw Fatal(fmt::format("rank {} sent a result of what nobody has", from));
  Open& open = at->second;
  note_extent(open, result);
  if (--open.extents > 0) return;
  conclude(open);
  m_open.erase(at);
}

void Dispatcher::note_extent(Open& open, comm::VerifyResult& result) const {
  if (result.has_failed && !open.error) open.error = result.error;
  if (open.collector && !result.leaves.empty() && !open.collector->add(result.extent, result.leaves) && !open.error)
    open.error = Error{ErrorKind::internal, EPROTO, "digest", open.candidate.fid.bracketed()};
  if (!open.first) {
    result.leaves.clear();
    open.first = std::move(result);
    return;
  }
  const bool is_another = result.version != open.first->version || result.kept != open.first->kept;
  if (!result.has_failed && !open.first->has_failed && is_another && !open.error)
    open.error =
        Error{ErrorKind::changed, EIO, "object was replaced while it was verified, of", open.candidate.fid.bracketed()};
}

void Dispatcher::conclude(Open& open) {
  comm::VerifyResult whole = std::move(*open.first);
  whole.has_failed = open.error.has_value();
  if (open.error) whole.error = *open.error;
  if (open.collector)
    if (const auto digest = open.collector->digest()) whole.computed = digest->text();
  const Finding finding = judge(open.candidate, whole);
  ++m_totals.verdicts.at(static_cast<std::size_t>(finding.verdict));
  m_observer.found(finding);
}

}  // namespace lhsm::verify
