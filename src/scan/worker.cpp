// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/worker.hpp"

#include <chrono>

namespace lhsm::scan {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_tick = 50ms;
constexpr unsigned k_most_untaken = 4;  // pieces that the dispatcher has not handed to the manifest yet

comm::Hello hello_of(const RankIdentity& identity, unsigned threads) {
  comm::Hello hello;
  identity.likeness.tell(hello);
  hello.host = identity.host;
  hello.slots = threads;
  return hello;
}

class Worker {
 public:
  Worker(comm::Channel& channel, lustre::Client& client, const ScanOptions& options)
      : m_channel(channel), m_walker(client, options, [&channel] { channel.wake(); }) {}

  void run() {
    TimePoint next_tick = std::chrono::steady_clock::now() + k_tick;
    for (;;) {
      const auto envelope = m_channel.receive(k_tick);
      if (envelope && !std::visit([this](const auto& message) { return handle(message); }, envelope->message)) return;
      const TimePoint now = std::chrono::steady_clock::now();
      const bool is_due = now >= next_tick;
      if (is_due) next_tick = now + k_tick;
      send_found(is_due);
      send_state(is_due);
    }
  }

 private:
  // Messages. Each returns whether to go on.

  bool handle(const comm::ScanTasks& message) {
    ++m_received;
    m_walker.add(message.tasks);
    return true;
  }
  bool handle(const comm::ScanRecall&) {
    m_channel.send(0, comm::ScanTasks{m_walker.take_back()});
    m_last.queued = ~std::uint64_t{0};  // has changed
    return true;
  }
  bool handle(const comm::ScanTaken&) {
    --m_untaken;
    return true;
  }
  bool handle(const comm::Stop&) {
    m_channel.send(0, comm::Bye{});
    return false;
  }
  template <class Other>
  bool handle(const Other&) {
    throw Fatal("a rank of a scan received a message that is not for it");
  }

  void send_found(bool is_due) {
    const auto pieces = is_due ? TreeWalker::Pieces::all : TreeWalker::Pieces::full;
    while (m_untaken < k_most_untaken) {
      const auto found = m_walker.take_found(pieces);
      if (!found) return;
      m_channel.send(0, *found);
      ++m_untaken;
    }
  }

  /// At once what makes the dispatcher do something, the rest now and then.
  void send_state(bool is_due) {
    comm::ScanState state = m_walker.state();
    state.received = m_received;
    const bool is_news = state.received != m_last.received || (state.is_hungry && !m_last.is_hungry) ||
                         state.is_idle != m_last.is_idle;
    const bool has_changed = state.queued != m_last.queued || state.is_hungry != m_last.is_hungry;
    if (!is_news && !(is_due && has_changed)) return;
    m_last = state;
    m_channel.send(0, state);
  }

  comm::Channel& m_channel;
  std::uint64_t m_received = 0;
  unsigned m_untaken = 0;
  comm::ScanState m_last;
  TreeWalker m_walker;  // last: its threads use the channel
};

}  // namespace

void run_worker(comm::Channel& channel, const RankIdentity& identity, lustre::Client& client,
                const ScanOptions& options) {
  // Before the greeting: what any rank is asked to look at after it, all ranks' clients have forgotten before.
  Worker worker(channel, client, options);
  comm::Hello hello = hello_of(identity, options.threads);
  hello.file_system = client.fsname();
  channel.send(0, hello);
  worker.run();
}

void run_unable_worker(comm::Channel& channel, const RankIdentity& identity, const Error& reason) {
  comm::Hello hello = hello_of(identity, 0);
  hello.unable = reason;
  channel.send(0, hello);
  for (;;) {
    const auto envelope = channel.receive(500ms);
    if (envelope && std::holds_alternative<comm::Stop>(envelope->message)) break;
  }
  channel.send(0, comm::Bye{});
}

}  // namespace lhsm::scan
