// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/roll_call.hpp"

#include <fmt/format.h>

#include <set>

namespace lhsm::comm {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_wait = 50ms;
constexpr Duration k_greeting_timeout = 120s;
constexpr Duration k_dismissal_timeout = 30s;

std::set<WorkerId> all_of(int ranks) {
  std::set<WorkerId> all;
  for (WorkerId rank = 0; rank < ranks; ++rank) all.insert(rank);
  return all;
}

}  // namespace

std::vector<Hello> greet(Channel& channel, int ranks, const std::string& build, const std::atomic<bool>& stop) {
  std::vector<Hello> hellos(static_cast<std::size_t>(ranks));
  std::set<WorkerId> missing = all_of(ranks);
  const TimePoint deadline = std::chrono::steady_clock::now() + k_greeting_timeout;
  std::string complaint;
  while (!missing.empty()) {
    const Duration left = deadline - std::chrono::steady_clock::now();
    if (left <= Duration::zero())
      throw Fatal(fmt::format("rank {} did not say hello within {} s", *missing.begin(), k_greeting_timeout / 1s));
    const auto envelope = channel.receive(left);
    if (stop) return {};
    if (!envelope) continue;
    const auto* const hello = std::get_if<Hello>(&envelope->message);
    if (hello == nullptr) continue;  // the first news of a rank that is ready
    missing.erase(envelope->peer);
    hellos.at(static_cast<std::size_t>(envelope->peer)) = *hello;
    std::string refused;
    if (hello->build != build)
      refused = fmt::format("rank {} on {} runs another build of lhsmtool_mpi ({}) than rank 0 ({})", envelope->peer,
                            hello->host, hello->build, build);
    else if (hello->unable)
      refused = fmt::format("rank {} on {}: {}", envelope->peer, hello->host, hello->unable->describe());
    if (complaint.empty()) complaint = refused;  // one line is enough: mostly all have the same to say
  }
  if (!complaint.empty()) throw Fatal(complaint);
  return hellos;
}

bool dismiss(Channel& channel, int ranks) {
  std::set<WorkerId> here = all_of(ranks);
  for (const WorkerId rank : here) channel.send(rank, Stop{});
  const TimePoint deadline = std::chrono::steady_clock::now() + k_dismissal_timeout;
  while (!here.empty() && std::chrono::steady_clock::now() < deadline) {
    const auto envelope = channel.receive(k_wait);
    if (envelope && std::holds_alternative<Bye>(envelope->message)) here.erase(envelope->peer);
  }
  return here.empty();
}

}  // namespace lhsm::comm
