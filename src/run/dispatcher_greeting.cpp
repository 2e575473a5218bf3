// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The dispatcher's part that calls the workers together and lets them go.
#include <fmt/format.h>

#include <set>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/run/dispatcher.hpp"

namespace lhsm::run {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_farewell_wait = 500ms;

}  // namespace

bool Dispatcher::greet(const StopRequest& stop) {
  std::set<WorkerId> missing(m_workers.begin(), m_workers.end());
  const TimePoint deadline = m_clock.now() + m_options.greeting_timeout;
  std::string complaint;
  while (!missing.empty()) {
    const Duration left = deadline - m_clock.now();
    if (left <= Duration::zero()) throw Fatal(fmt::format("rank {} did not say hello within {} s", *missing.begin(),
                                                          m_options.greeting_timeout / 1s));
    const auto envelope = m_channel.receive(left);
    if (stop.count > 0) return false;
    if (!envelope) continue;
    const auto* const hello = std::get_if<comm::Hello>(&envelope->message);
    if (hello == nullptr || missing.erase(envelope->peer) == 0)
      throw Fatal(fmt::format("rank {} spoke out of turn", envelope->peer));
    std::string refused = comm::why_not(*hello, envelope->peer, m_likeness);
    if (refused.empty() && !m_scheduler.add_worker(envelope->peer, hello->slots, hello->host))
      refused = fmt::format("rank {} on {} has no slots", envelope->peer, hello->host);
    m_hosts.insert(hello->host);
    RankState& rank = m_ranks.at(static_cast<std::size_t>(envelope->peer));
    rank.host = hello->host;
    rank.slots = hello->slots;
    if (complaint.empty()) complaint = refused;  // one line is enough: mostly all have the same to say
  }
  if (!complaint.empty()) throw Fatal(complaint);
  return true;
}

bool Dispatcher::dismiss() {
  for (const WorkerId worker : m_workers) m_channel.send(worker, comm::Stop{});
  std::set<WorkerId> here(m_workers.begin(), m_workers.end());
  const TimePoint deadline = m_clock.now() + m_options.greeting_timeout;
  while (!here.empty() && m_clock.now() < deadline) {
    const auto envelope = m_channel.receive(k_farewell_wait);
    if (!envelope) continue;
    if (std::holds_alternative<comm::Bye>(envelope->message)) here.erase(envelope->peer);
    if (const auto* tick = std::get_if<comm::Tick>(&envelope->message)) handle(envelope->peer, *tick);
  }
  if (!here.empty()) log::warning("rank {} did not say good-bye", *here.begin());
  publish(m_clock.now());
  return here.empty();
}

}  // namespace lhsm::run
