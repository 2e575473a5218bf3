// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Channels inside one process: for a plain start, for rank 0's own worker, and for whole runs inside
// a test. Messages go through the codec as they would between ranks.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/comm/channel.hpp"
#include "lhsmtool_mpi/comm/waker.hpp"

namespace lhsm::comm {

/// A queue of frames with one reader, who sleeps on `waker`, and many writers.
class Mailbox {
 public:
  void put(WorkerId from, Bytes frame);
  [[nodiscard]] std::optional<std::pair<WorkerId, Bytes>> take();
  [[nodiscard]] Waker& waker() { return m_waker; }

 private:
  Waker m_waker;
  std::mutex m_mutex;
  std::deque<std::pair<WorkerId, Bytes>> m_frames;
};

/// A worker's end in the dispatcher's own process.
class LocalWorkerEnd final : public Channel {
 public:
  LocalWorkerEnd(WorkerId me, Mailbox& dispatcher) : m_me(me), m_dispatcher(dispatcher) {}
  void send(WorkerId peer, const Message& message) override;
  [[nodiscard]] std::optional<Envelope> receive(Duration timeout) override;
  void wake() override { m_mailbox.waker().wake(); }
  [[nodiscard]] Mailbox& mailbox() { return m_mailbox; }

 private:
  WorkerId m_me;
  Mailbox& m_dispatcher;
  Mailbox m_mailbox;
};

/// The dispatcher's end when all workers 0 … n-1 are in its own process. It owns their ends.
class LoopbackHub final : public Channel {
 public:
  explicit LoopbackHub(int workers);
  void send(WorkerId peer, const Message& message) override;
  [[nodiscard]] std::optional<Envelope> receive(Duration timeout) override;
  void wake() override { m_mailbox.waker().wake(); }
  [[nodiscard]] Channel& worker(WorkerId worker) { return *m_workers.at(static_cast<std::size_t>(worker)); }

 private:
  Mailbox m_mailbox;
  std::vector<std::unique_ptr<LocalWorkerEnd>> m_workers;
};

/// Decode or throw Fatal: what every channel does with a received frame.
[[nodiscard]] Message decode_or_throw(std::span<const std::byte> frame, WorkerId from);

}  // namespace lhsm::comm
