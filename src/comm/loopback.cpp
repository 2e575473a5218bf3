// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/loopback.hpp"

#include <fmt/format.h>

namespace lhsm::comm {

namespace {

std::optional<Envelope> receive_from(Mailbox& mailbox, Duration timeout) {
  auto frame = mailbox.take();
  if (!frame) {
    mailbox.waker().wait(timeout);
    frame = mailbox.take();
  }
  if (!frame) return std::nullopt;
  return Envelope{frame->first, decode_or_throw(frame->second, frame->first)};
}

}  // namespace

Message decode_or_throw(std::span<const std::byte> frame, WorkerId from) {
  auto message = decode(frame);
  if (!message) throw Fatal(fmt::format("message from rank {}: {}", from, message.error().describe()));
  return std::move(*message);
}

void Mailbox::put(WorkerId from, Bytes frame) {
  {
    const std::lock_guard lock(m_mutex);
    m_frames.emplace_back(from, std::move(frame));
  }
  m_waker.wake();
}

std::optional<std::pair<WorkerId, Bytes>> Mailbox::take() {
  const std::lock_guard lock(m_mutex);
  if (m_frames.empty()) return std::nullopt;
  auto frame = std::move(m_frames.front());
  m_frames.pop_front();
  return frame;
}

void LocalWorkerEnd::send(WorkerId, const Message& message) { m_dispatcher.put(m_me, encode(message)); }

std::optional<Envelope> LocalWorkerEnd::receive(Duration timeout) { return receive_from(m_mailbox, timeout); }

LoopbackHub::LoopbackHub(int workers) {
  for (WorkerId i = 0; i < workers; ++i) m_workers.push_back(std::make_unique<LocalWorkerEnd>(i, m_mailbox));
}

void LoopbackHub::send(WorkerId peer, const Message& message) {
  m_workers.at(static_cast<std::size_t>(peer))->mailbox().put(0, encode(message));
}

std::optional<Envelope> LoopbackHub::receive(Duration timeout) { return receive_from(m_mailbox, timeout); }

}  // namespace lhsm::comm
