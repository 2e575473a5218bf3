// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/event_channel.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "lhsmtool_mpi/comm/loopback.hpp"

namespace lhsm::comm {
namespace {

using namespace std::chrono_literals;

Event event(std::uint32_t number) {
  Event made;
  made.source.oid = number;
  return made;
}

class EventChannelTest : public ::testing::Test {
 protected:
  LoopbackHub m_hub{1};
  EventSender m_worker{m_hub.worker(0)};
  std::vector<std::uint32_t> m_seen;
  EventReceiver m_dispatcher{m_hub, [this](const Event& e) { m_seen.push_back(e.source.oid); }};
};

TEST_F(EventChannelTest, events_arrive_before_the_message_that_was_sent_after_them) {
  m_worker.add(event(1));
  m_worker.add(event(2));
  m_worker.send(0, Bye{});
  const auto envelope = m_dispatcher.receive(1s);
  ASSERT_TRUE(envelope);
  EXPECT_TRUE(std::holds_alternative<Bye>(envelope->message));
  EXPECT_EQ(m_seen, (std::vector<std::uint32_t>{1, 2}));
}

TEST_F(EventChannelTest, an_event_needs_no_message_to_travel_with) {
  std::jthread worker([this] {
    while (!m_worker.receive(20s)) {
    }
  });
  m_worker.add(event(7));
  const TimePoint begun = std::chrono::steady_clock::now();
  while (m_seen.empty() && std::chrono::steady_clock::now() - begun < 10s) EXPECT_FALSE(m_dispatcher.receive(10ms));
  EXPECT_EQ(m_seen, (std::vector<std::uint32_t>{7}));
  m_dispatcher.send(0, Stop{});
}

TEST_F(EventChannelTest, only_so_many_wait) {
  for (std::uint32_t i = 0; i < EventSender::k_most_waiting + 10; ++i) m_worker.add(event(i));
  m_worker.send(0, Bye{});
  ASSERT_TRUE(m_dispatcher.receive(1s));
  EXPECT_EQ(m_seen.size(), EventSender::k_most_waiting);
}

TEST_F(EventChannelTest, messages_pass_both_ways) {
  m_dispatcher.send(0, Recall{3});
  const auto envelope = m_worker.receive(1s);
  ASSERT_TRUE(envelope);
  EXPECT_EQ(std::get<Recall>(envelope->message).most, 3U);
  EXPECT_FALSE(m_dispatcher.receive(0s));
}

}  // namespace
}  // namespace lhsm::comm
