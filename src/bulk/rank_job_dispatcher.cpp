// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <algorithm>

#include "lhsmtool_mpi/bulk/rank_job.hpp"
#include "lhsmtool_mpi/comm/roll_call.hpp"

namespace lhsm::bulk {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_wait = 20ms;  // retries, limits and stops are seen as late
constexpr Duration k_dismissal_timeout = 30s;

}  // namespace

RankJobDispatcher::RankJobDispatcher(comm::Channel& channel, int ranks, comm::Likeness likeness)
    : m_channel(channel), m_likeness(std::move(likeness)), m_ranks(static_cast<std::size_t>(ranks)) {}

bool RankJobDispatcher::greet(const std::atomic<bool>& stop, const std::string& file_system) {
  m_likeness.file_system = file_system;
  const auto hellos = comm::greet(m_channel, static_cast<int>(m_ranks.size()), m_likeness, stop);
  for (const comm::Hello& hello : hellos) m_hosts.insert(hello.host);
  return !stop;
}

void RankJobDispatcher::run(Job& job, const std::string& source, const std::function<void()>& tick) {
  while (job.goes_on_after(0ms)) {
    hand_out(job, source);
    tick();
    for (auto envelope = m_channel.receive(k_wait); envelope; envelope = m_channel.receive(Duration::zero()))
      if (const auto* const message = std::get_if<comm::FilesDone>(&envelope->message)) take(job, envelope->peer, *message);
  }
}

/// One list after the other to whoever has least in hand, as far as ranks have room.
void RankJobDispatcher::hand_out(Job& job, const std::string& source) {
  for (;;) {
    const auto rank = std::min_element(m_ranks.begin(), m_ranks.end(),
                                       [](const auto& a, const auto& b) { return a.size() < b.size(); });
    if (rank->size() + lustre::k_most_requested > k_files_of_a_rank) return;
    const std::vector<Row> rows = job.batch_now();
    if (rows.empty()) return;
    comm::FilesToDo message;
    message.source = source;
    for (const Row& row : rows) {
      const RowDetails& details = row.details;
      message.files.push_back({row.fid, details.path, row.size, details.mtime_ns, details.uid, details.gid, details.projid, details.links,
                               details.hsm_state});
      rank->emplace(row.fid, row);
    }
    m_channel.send(static_cast<WorkerId>(rank - m_ranks.begin()), message);
  }
}

void RankJobDispatcher::take(Job& job, WorkerId from, const comm::FilesDone& message) {
  using Answer = comm::FileAnswer;
  auto& in_hand = m_ranks.at(static_cast<std::size_t>(from));
  for (const comm::FileDone& file : message.files) {
    const auto found = in_hand.find(file.fid);
    if (found == in_hand.end()) throw Fatal(fmt::format("rank {} did what it was not asked to: {}", from, file.fid.bracketed()));
    const Row row = found->second;
    in_hand.erase(found);
    switch (file.answer) {
      case Answer::done: job.settled(row, store::ItemResult::done, {}, from); break;
      case Answer::already: job.settled(row, store::ItemResult::already, {}, from); break;
      case Answer::refused: job.settled(row, store::ItemResult::refused, file.error, from); break;
      case Answer::failed: job.failed(row, file.error); break;
      default: throw Fatal(fmt::format("rank {} sent an answer that is none", from));
    }
  }
}

bool RankJobDispatcher::dismiss(Job* job) {
  std::set<WorkerId> here;
  for (std::size_t i = 0; i < m_ranks.size(); ++i) {
    here.insert(static_cast<WorkerId>(i));
    m_channel.send(static_cast<WorkerId>(i), comm::Stop{});
  }
  const TimePoint deadline = std::chrono::steady_clock::now() + k_dismissal_timeout;
  while (!here.empty() && std::chrono::steady_clock::now() < deadline) {
    const auto envelope = m_channel.receive(k_wait);
    if (!envelope) continue;
    if (std::holds_alternative<comm::Bye>(envelope->message)) here.erase(envelope->peer);
    if (const auto* const message = std::get_if<comm::FilesDone>(&envelope->message); message != nullptr && job != nullptr)
      take(*job, envelope->peer, *message);
  }
  return here.empty();
}

}  // namespace lhsm::bulk
