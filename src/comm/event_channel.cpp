// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/event_channel.hpp"

#include <utility>

namespace lhsm::comm {

void EventSender::add(Event event) {
  {
    const std::lock_guard lock(m_mutex);
    if (m_waiting.size() >= k_most_waiting) return;
    m_waiting.push_back(std::move(event));
    if (m_waiting.size() > 1) return;  // somebody was woken for the first one
  }
  m_inner.wake();
}

void EventSender::flush() {
  Events message;
  {
    const std::lock_guard lock(m_mutex);
    message.events.swap(m_waiting);
  }
  if (!message.events.empty()) m_inner.send(0, message);
}

void EventSender::send(WorkerId peer, const Message& message) {
  flush();
  m_inner.send(peer, message);
}

std::optional<Envelope> EventSender::receive(Duration timeout) {
  flush();
  return m_inner.receive(timeout);
}

std::optional<Envelope> EventReceiver::receive(Duration timeout) {
  constexpr int k_most_in_a_row = 64;  // the dispatcher has more to do than this
  for (int left = k_most_in_a_row; left > 0; --left, timeout = Duration::zero()) {
    auto envelope = m_inner.receive(timeout);
    const auto* const events = envelope ? std::get_if<Events>(&envelope->message) : nullptr;
    if (events == nullptr) return envelope;
    for (const Event& event : events->events) m_on_event(event);
  }
  return std::nullopt;
}

}  // namespace lhsm::comm
