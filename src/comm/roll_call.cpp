// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/roll_call.hpp"

#include <fmt/format.h>

#include <algorithm>
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

/// The first lines in which two texts differ; one of them is empty where the other has more.
std::pair<std::string_view, std::string_view> first_difference(std::string_view a, std::string_view b) {
  const auto take_line = [](std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
  };
  while (!a.empty() || !b.empty()) {
    const std::string_view of_a = take_line(a);
    const std::string_view of_b = take_line(b);
    if (of_a != of_b) return {of_a, of_b};
  }
  return {};
}

}  // namespace

void Likeness::tell(Hello& hello) const {
  hello.build = build;
  hello.options = options;
}

std::string why_not(const Hello& hello, WorkerId rank, const Likeness& own) {
  if (hello.build != own.build)
    return fmt::format("rank {} on {} runs another build of lhsmtool_mpi ({}) than rank 0 ({})", rank, hello.host, hello.build,
                       own.build);
  if (hello.options != own.options) {
    const auto [theirs, ours] = first_difference(hello.options, own.options);
    return fmt::format("rank {} on {} has other options than rank 0: {} there, {} here; --print-config on that host tells why",
                       rank, hello.host, theirs.empty() ? "less" : theirs, ours.empty() ? "less" : ours);
  }
  if (hello.unable) return fmt::format("rank {} on {}: {}", rank, hello.host, hello.unable->describe());
  // FIDs say other files there.
  if (!hello.file_system.empty() && !own.file_system.empty() && hello.file_system != own.file_system)
    return fmt::format("rank {} on {} has another file system mounted there, {}, than rank 0, {}", rank, hello.host, hello.file_system,
                       own.file_system);
  return {};
}

std::vector<Hello> greet(Channel& channel, int ranks, const Likeness& own, const std::atomic<bool>& stop) {
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
    if (complaint.empty()) complaint = why_not(*hello, envelope->peer, own);  // one line is enough: mostly all have the same to say
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
