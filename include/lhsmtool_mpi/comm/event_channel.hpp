// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The way of events from all ranks to the one that writes them: a worker's end that takes events from
// any thread and sends them between its messages, and a dispatcher's end that takes them out again. Who
// sits between the two ends sees no events.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "lhsmtool_mpi/comm/channel.hpp"

namespace lhsm::comm {

/// A worker's end. At most so many events wait; what comes beyond is dropped: a monitor may miss
/// something, the run may not be held up. The inner channel outlives it.
class EventSender final : public Channel {
 public:
  static constexpr std::size_t k_most_waiting = 4096;

  explicit EventSender(Channel& inner) : m_inner(inner) {}
  /// Leave an event for the thread that has the channel. Any thread.
  void add(Event event);

  /// Events go before the message, so that an action's last one arrives before its result.
  void send(WorkerId peer, const Message& message) override;
  [[nodiscard]] std::optional<Envelope> receive(Duration timeout) override;
  void wake() override { m_inner.wake(); }

 private:
  void flush();

  Channel& m_inner;
  std::mutex m_mutex;
  std::vector<Event> m_waiting;
};

/// The dispatcher's end: gives events to `on_event`, in the thread that receives. The inner channel
/// outlives it.
class EventReceiver final : public Channel {
 public:
  EventReceiver(Channel& inner, std::function<void(const Event&)> on_event)
      : m_inner(inner), m_on_event(std::move(on_event)) {}

  void send(WorkerId peer, const Message& message) override { m_inner.send(peer, message); }
  [[nodiscard]] std::optional<Envelope> receive(Duration timeout) override;
  void wake() override { m_inner.wake(); }

 private:
  Channel& m_inner;
  std::function<void(const Event&)> m_on_event;
};

}  // namespace lhsm::comm
