// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/loopback.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace lhsm::comm {
namespace {

using namespace std::chrono_literals;

TimePoint now() { return std::chrono::steady_clock::now(); }

/// The next message within ten seconds, whatever wakes meanwhile.
std::optional<Envelope> receive_soon(Channel& channel) {
  const TimePoint deadline = now() + 10s;
  for (;;) {
    if (auto envelope = channel.receive(100ms)) return envelope;
    if (now() > deadline) return std::nullopt;
  }
}

TEST(LoopbackHubTest, send_reaches_the_worker_it_is_for) {
  LoopbackHub hub(3);
  hub.send(1, Recall{11});
  EXPECT_FALSE(hub.worker(0).receive(0ms).has_value());
  EXPECT_FALSE(hub.worker(2).receive(0ms).has_value());
  const auto envelope = hub.worker(1).receive(0ms);
  ASSERT_TRUE(envelope.has_value());
  EXPECT_EQ(envelope->peer, 0);
  EXPECT_EQ(std::get<Recall>(envelope->message).most, 11U);
}

TEST(LoopbackHubTest, receive_names_the_sender) {
  LoopbackHub hub(3);
  hub.worker(2).send(0, Tick{1, 1, 0, 0, {}});
  hub.worker(1).send(77, Tick{2, 2, 0, 0, {}});  // the peer is ignored at this end
  EXPECT_EQ(receive_soon(hub)->peer, 2);
  EXPECT_EQ(receive_soon(hub)->peer, 1);
  EXPECT_FALSE(hub.receive(0ms).has_value());
}

TEST(LoopbackHubTest, send_to_nobody_is_refused) {
  LoopbackHub hub(2);
  EXPECT_THROW(hub.send(2, Stop{}), std::exception);
  EXPECT_THROW(hub.send(-1, Stop{}), std::exception);
}

TEST(LoopbackHubTest, receive_waits_no_longer_than_asked) {
  LoopbackHub hub(1);
  const TimePoint begun = now();
  EXPECT_FALSE(hub.receive(20ms).has_value());
  EXPECT_FALSE(hub.worker(0).receive(20ms).has_value());
  EXPECT_GE(now() - begun, 40ms);
}

TEST(LoopbackHubTest, wake_ends_a_receive) {
  LoopbackHub hub(1);
  const std::jthread other([&] {
    hub.wake();
    hub.worker(0).wake();
  });
  const TimePoint begun = now();
  EXPECT_FALSE(hub.receive(10s).has_value());
  EXPECT_FALSE(hub.worker(0).receive(10s).has_value());
  EXPECT_LT(now() - begun, 5s);
}

TEST(LoopbackHubTest, send_keeps_the_order_between_threads) {
  constexpr std::uint64_t k_count = 20000;
  LoopbackHub hub(2);
  std::vector<std::jthread> workers;
  for (const WorkerId worker : {0, 1}) {
    workers.emplace_back([&hub, worker] {
      for (std::uint64_t i = 0; i < k_count; ++i) hub.worker(worker).send(0, Tick{i, 0, 0, 0, {}});
    });
  }
  std::uint64_t next[2] = {0, 0};
  while (next[0] < k_count || next[1] < k_count) {
    const auto envelope = receive_soon(hub);
    ASSERT_TRUE(envelope.has_value()) << "a message got lost";
    ASSERT_EQ(std::get<Tick>(envelope->message).bytes_moved, next[envelope->peer]++);
  }
  EXPECT_FALSE(hub.receive(0ms).has_value());
}

TEST(DecodeOrThrowTest, bytes_that_are_no_message_throw_with_the_sender) {
  const Bytes frame(100, std::byte{0x55});
  try {
    static_cast<void>(decode_or_throw(frame, 42));
    FAIL() << "no exception";
  } catch (const Fatal& error) {
    EXPECT_NE(std::string(error.what()).find("rank 42"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace lhsm::comm
