// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/check/dispatcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "lhsmtool_mpi/comm/roll_call.hpp"

namespace lhsm::check {

namespace {

constexpr int k_clock_rounds = 3;

TimePoint now() { return std::chrono::steady_clock::now(); }

}  // namespace

Dispatcher::Dispatcher(comm::Channel& channel, int ranks, DispatcherOptions options)
    : m_channel(channel), m_options(std::move(options)), m_ranks(static_cast<std::size_t>(ranks)) {
  m_options.plan.copies = static_cast<std::uint64_t>(ranks) * m_options.copies_per_rank;
}

void Dispatcher::stop() {
  m_stop = true;
  m_channel.wake();
}

bool Dispatcher::run() {
  const auto hellos = comm::greet(m_channel, static_cast<int>(m_ranks.size()), m_options.build, m_stop);
  if (m_stop) return false;
  std::set<std::string> hosts;
  for (std::size_t rank = 0; rank < m_ranks.size(); ++rank) {
    m_ranks[rank].host = hellos[rank].host;
    m_ranks[rank].speaks_for_host = hosts.insert(hellos[rank].host).second;
  }
  m_report.add(0, {CheckVerdict::ok, "ranks",
                   fmt::format("{} rank{} on {} host{}, all of build {}", m_ranks.size(), m_ranks.size() == 1 ? "" : "s", hosts.size(),
                               hosts.size() == 1 ? "" : "s", m_options.build),
                   ""});
  compare_clocks();
  if (m_options.writes_probe) make_probe();
  if (!m_stop) ask_all();
  if (m_stop) return false;
  if (m_facts.contains("fsname")) {
    m_options.plan.fsname = m_facts["fsname"].begin()->first;
    for (CheckFinding& finding : judge_tunables(m_parameters, m_options.plan)) m_report.add(0, std::move(finding));
  }
  compare("fsname", CheckVerdict::fail, "mount", "mount the same file system at the same place on every node");
  // Not every file system has the same numbers everywhere.
  compare("inode of the archive's root", CheckVerdict::warn, "archive", "see that every node has the same archive there");
  return true;
}

void Dispatcher::add_links(std::vector<Link> links) {
  m_links = std::move(links);
  for (Link& link : m_links) link.host = m_ranks.at(static_cast<std::size_t>(link.rank)).host;
  for (CheckFinding& finding : judge_links(m_links)) m_report.add(0, std::move(finding));
}

bool Dispatcher::dismiss() { return comm::dismiss(m_channel, static_cast<int>(m_ranks.size())); }

bool Dispatcher::has_silent_ranks() const {
  return std::any_of(m_ranks.begin(), m_ranks.end(), [](const Rank& rank) { return rank.is_silent; });
}

void Dispatcher::give_up(std::size_t rank, const std::string& subject) {
  m_ranks[rank].is_silent = true;
  m_report.add(static_cast<WorkerId>(rank),
               {CheckVerdict::fail, subject, fmt::format("no answer within {} s: it hangs", m_options.patience / std::chrono::seconds(1)),
                "see whether the servers behind it run"});
}

void Dispatcher::compare_clocks() {
  std::uint64_t id = 0;
  for (std::size_t rank = 1; rank < m_ranks.size() && !m_stop; ++rank) {
    if (!m_ranks[rank].speaks_for_host) continue;
    const TimePoint deadline = now() + m_options.patience;  // for each: one that hangs says nothing of the others
    // The quickest answer of some tells most.
    std::int64_t lead = 0;
    std::int64_t uncertainty = std::numeric_limits<std::int64_t>::max();
    for (int round = 0; round < k_clock_rounds && !m_ranks[rank].is_silent; ++round) {
      const std::int64_t asked_at = wall_clock_ns();
      m_channel.send(static_cast<WorkerId>(rank), comm::ClockAsked{++id});
      std::optional<comm::ClockTold> told;
      while (!told && !m_stop && now() < deadline) {
        const auto envelope = m_channel.receive(deadline - now());
        const auto* const answer = envelope ? std::get_if<comm::ClockTold>(&envelope->message) : nullptr;
        if (answer != nullptr && answer->id == id) told = *answer;
      }
      if (m_stop) return;
      const std::int64_t half = (wall_clock_ns() - asked_at) / 2;
      if (!told) {
        give_up(rank, "clock");
      } else if (half < uncertainty) {
        uncertainty = half;
        lead = told->ns - (asked_at + half);
      }
    }
    if (!m_ranks[rank].is_silent) m_report.add(static_cast<WorkerId>(rank), judge_clock(lead, uncertainty));
  }
}

void Dispatcher::make_probe() {
  comm::CheckAsked asked;
  asked.makes_probe = true;
  m_channel.send(0, asked);
  for (const TimePoint deadline = now() + m_options.patience; !m_stop && now() < deadline;) {
    const auto envelope = m_channel.receive(deadline - now());
    const auto* const found = envelope ? std::get_if<comm::CheckFound>(&envelope->message) : nullptr;
    if (found == nullptr) continue;
    for (const comm::CheckFact& fact : found->facts) m_probe = fact.value;
    return;
  }
  if (!m_stop) give_up(0, "archive");
}

void Dispatcher::ask_all() {
  std::size_t missing = 0;
  for (std::size_t rank = 0; rank < m_ranks.size(); ++rank) {
    if (m_ranks[rank].is_silent) continue;
    m_channel.send(static_cast<WorkerId>(rank), comm::CheckAsked{false, rank == 0, m_ranks[rank].speaks_for_host, m_probe});
    ++missing;
  }
  const TimePoint deadline = now() + m_options.patience;
  while (missing > 0 && !m_stop && now() < deadline) {
    const auto envelope = m_channel.receive(deadline - now());
    const auto* const found = envelope ? std::get_if<comm::CheckFound>(&envelope->message) : nullptr;
    if (found == nullptr || m_ranks.at(static_cast<std::size_t>(envelope->peer)).is_silent) continue;
    take(envelope->peer, *found);
    if (m_ranks[static_cast<std::size_t>(envelope->peer)].has_answered) --missing;
  }
  if (m_stop) return;
  for (std::size_t rank = 0; rank < m_ranks.size(); ++rank)
    if (!m_ranks[rank].has_answered && !m_ranks[rank].is_silent) give_up(rank, m_ranks[rank].at);
}

void Dispatcher::take(WorkerId from, const comm::CheckFound& found) {
  Rank& rank = m_ranks.at(static_cast<std::size_t>(from));
  for (const CheckFinding& finding : found.findings) m_report.add(from, finding);
  for (const comm::CheckFact& fact : found.facts) {
    if (fact.name.starts_with("mdt."))
      m_parameters.push_back(fact);
    else
      m_facts[fact.name][fact.value].insert(from);
  }
  rank.at = found.next;
  rank.has_answered = found.next.empty();
}

void Dispatcher::compare(const std::string& fact, CheckVerdict verdict, const std::string& subject, const std::string& remedy) {
  const auto& values = m_facts[fact];
  if (values.size() < 2) return;
  std::string text = fact + " differs:";
  for (const auto& [value, ranks] : values) text += fmt::format(" {} on ranks {};", value, ranks_text(ranks));
  text.pop_back();
  m_report.add(0, {verdict, subject, text, remedy});
}

}  // namespace lhsm::check
