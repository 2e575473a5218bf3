// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Channels over a real MPI, on any number of ranks; worker 0 lives in rank 0's process. No ASSERT: a
// rank that leaves a test early would leave the others waiting.
#include <gtest/gtest.h>
#include <mpi.h>
#include <sys/resource.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <thread>

#include "../../src/comm/mpi_check.hpp"
#include "lhsmtool_mpi/run/dispatcher.hpp"
#include "mpi/session.hpp"
#include "support/thread_state.hpp"
#include "unit/comm/sample_messages.hpp"

namespace lhsm::comm {
namespace {

using namespace std::chrono_literals;

TimePoint now() { return std::chrono::steady_clock::now(); }

/// The next message within two minutes: a flood takes long with sanitizers on a busy machine.
std::optional<Envelope> receive_soon(Channel& channel) {
  for (const TimePoint deadline = now() + 120s; now() < deadline;)
    if (auto envelope = channel.receive(1s)) return envelope;
  ADD_FAILURE() << "no message came";
  return std::nullopt;
}

/// A worker that answers: Tick with itself, Recall{n} with n ticks, Begin with the item's data.
void answer_until_stop(Channel& channel) {
  while (auto envelope = receive_soon(channel)) {
    if (const auto* const tick = std::get_if<Tick>(&envelope->message)) {
      channel.send(0, *tick);
    } else if (const auto* const recall = std::get_if<Recall>(&envelope->message)) {
      for (std::uint64_t i = 0; i < recall->most; ++i) channel.send(0, Tick{i, 0, 0, 0, {}});
    } else if (const auto* const begin = std::get_if<Begin>(&envelope->message)) {
      channel.send(0, Begun{begin->job.id, {}, 0, 0, begin->job.item.data, {}, 0, false});
    } else if (std::holds_alternative<Stop>(envelope->message)) {
      channel.send(0, Bye{});
      return;
    }
  }
}

class MpiChannelTest : public ::testing::Test {
 protected:
  int m_rank = test::session().rank();
  int m_size = test::session().size();
  std::unique_ptr<Channel> m_channel;
  Channel* m_local_worker = nullptr;

  void SetUp() override {
    MPI_Barrier(MPI_COMM_WORLD);
    if (m_rank == 0) {
      auto made = test::session().dispatcher_channel();
      m_channel = std::move(made.channel);
      m_local_worker = made.local_worker;
    } else {
      m_channel = test::session().worker_channel();
    }
  }
  void TearDown() override {
    m_channel.reset();
    MPI_Barrier(MPI_COMM_WORLD);
  }

  /// On rank 0 `dispatch`, with a worker beside it; on the others a worker. Ends with Stop and Bye.
  void with_workers(const std::function<void()>& dispatch) {
    if (m_rank != 0) {
      answer_until_stop(*m_channel);
      return;
    }
    const std::jthread worker([this] { answer_until_stop(*m_local_worker); });
    dispatch();
    for (int peer = 0; peer < m_size; ++peer) m_channel->send(peer, Stop{});
    for (int byes = 0; byes < m_size;) {
      const auto envelope = receive_soon(*m_channel);
      if (!envelope) return;
      EXPECT_TRUE(std::holds_alternative<Bye>(envelope->message)) << "kind " << envelope->message.index();
      ++byes;
    }
  }
};

TEST_F(MpiChannelTest, send_and_receive_keep_the_order) {
  with_workers([this] {
    constexpr std::uint64_t k_rounds = 500;
    for (std::uint64_t i = 0; i < k_rounds; ++i)
      for (int peer = 0; peer < m_size; ++peer) m_channel->send(peer, Tick{i, static_cast<std::uint32_t>(peer), 0, 0, {}});
    std::map<WorkerId, std::uint64_t> next;
    for (std::uint64_t n = 0; n < k_rounds * static_cast<unsigned>(m_size); ++n) {
      const auto envelope = receive_soon(*m_channel);
      if (!envelope) return;
      const auto& tick = std::get<Tick>(envelope->message);
      EXPECT_EQ(tick.running, static_cast<std::uint32_t>(envelope->peer)) << "the sender's number";
      EXPECT_EQ(tick.bytes_moved, next[envelope->peer]++);
    }
  });
}

TEST_F(MpiChannelTest, receive_takes_a_flood) {
  with_workers([this] {
    constexpr std::uint32_t k_count = 20000;
    for (int peer = 0; peer < m_size; ++peer) m_channel->send(peer, Recall{k_count});
    std::map<WorkerId, std::uint64_t> next;
    for (std::uint64_t n = 0; n < std::uint64_t{k_count} * static_cast<unsigned>(m_size); ++n) {
      const auto envelope = receive_soon(*m_channel);
      if (!envelope) return;
      EXPECT_EQ(std::get<Tick>(envelope->message).bytes_moved, next[envelope->peer]++);
    }
  });
}

TEST_F(MpiChannelTest, send_takes_long_messages) {
  with_workers([this] {
    Begin begin;
    begin.job.item.data.resize(8 << 20);
    for (std::size_t i = 0; i < begin.job.item.data.size(); ++i) begin.job.item.data[i] = static_cast<char>(i * 7 / 3);
    for (int peer = 0; peer < m_size; ++peer) m_channel->send(peer, begin);
    for (int n = 0; n < m_size; ++n) {
      const auto envelope = receive_soon(*m_channel);
      if (!envelope) return;
      EXPECT_TRUE(std::get<Begun>(envelope->message).token == begin.job.item.data) << "rank " << envelope->peer;
    }
  });
}

TEST_F(MpiChannelTest, every_message_arrives_as_it_was_sent) {
  const auto samples = sample_messages();
  if (m_rank != 0) {
    for (const Message& message : samples) m_channel->send(0, message);
  } else {
    std::map<WorkerId, std::size_t> next;
    for (std::size_t n = 0; n < samples.size() * static_cast<std::size_t>(m_size - 1); ++n) {
      const auto envelope = receive_soon(*m_channel);
      if (!envelope) break;
      EXPECT_TRUE(envelope->message == samples.at(next[envelope->peer]++));
    }
  }
}

TEST_F(MpiChannelTest, receive_waits_no_longer_than_asked) {
  const TimePoint begun = now();
  EXPECT_FALSE(m_channel->receive(0ms).has_value());
  EXPECT_FALSE(m_channel->receive(30ms).has_value());
  EXPECT_GE(now() - begun, 30ms);
  EXPECT_LT(now() - begun, 10s);
}

TEST_F(MpiChannelTest, wake_ends_a_receive) {
  const std::jthread other([this, tid = ::gettid()] {
    EXPECT_TRUE(test::wait_until_asleep(tid));
    m_channel->wake();
  });
  const TimePoint begun = now();
  EXPECT_FALSE(m_channel->receive(20s).has_value());
  EXPECT_LT(now() - begun, 10s);
}

TEST_F(MpiChannelTest, message_to_an_idle_rank_is_handled_within_milliseconds) {
  with_workers([this] {
    for (const int peer : {0, m_size - 1}) {
      std::vector<double> ms;
      for (int i = 0; i < 40; ++i) {
        std::this_thread::sleep_for(10ms);  // until it polls no more than it has to
        const TimePoint begun = now();
        m_channel->send(peer, Tick{1, 1, 0, 0, {}});
        if (!receive_soon(*m_channel)) return;
        ms.push_back(std::chrono::duration<double, std::milli>(now() - begun).count());
      }
      std::sort(ms.begin(), ms.end());
      std::cout << "round trip to rank " << peer << ": median " << ms[ms.size() / 2] << " ms, worst " << ms.back() << " ms\n";
      EXPECT_LT(ms[ms.size() / 10], 20) << "other work on the machine only ever adds";
    }
  });
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

TEST_F(MpiChannelTest, waiting_costs_next_to_nothing) {
  constexpr double k_seconds = 2;
  const double before = processor_seconds();
  for (const TimePoint deadline = now() + 2s; now() < deadline;) {
    const auto envelope = m_channel->receive(500ms);
    EXPECT_FALSE(envelope.has_value());
  }
  const double mine = 100 * (processor_seconds() - before) / k_seconds;
  double worst = 0;
  MPI_Reduce(&mine, &worst, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  if (m_rank == 0) std::cout << "a waiting rank takes at most " << worst << " % of a core\n";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(mine, 20) << "a spin takes all of it";
#endif
}

TEST_F(MpiChannelTest, greet_names_the_rank_of_another_build) {
  if (m_rank != 0) {
    Hello hello;
    hello.build = m_rank == m_size - 1 ? "build B" : "build A";
    hello.host = "host" + std::to_string(m_rank);
    hello.slots = 2;
    m_channel->send(0, hello);
    answer_until_stop(*m_channel);
    return;
  }
  struct Nobody final : run::Observer {
    void update(const run::RunState&, TimePoint) override {}
    void failed(const ActionItem&, const Error&) override {}
  } nobody;
  const RealClock clock;
  std::vector<WorkerId> workers;
  for (int peer = 1; peer < m_size; ++peer) workers.push_back(peer);
  if (workers.empty()) return;
  run::Dispatcher dispatcher(*m_channel, workers, "build A", {}, clock, nobody);
  std::string line;
  try {
    EXPECT_FALSE(dispatcher.greet({})) << "or a Fatal";
  } catch (const Fatal& error) {
    line = error.what();
  }
  EXPECT_NE(line.find("rank " + std::to_string(m_size - 1) + " on host"), std::string::npos) << line;
  EXPECT_NE(line.find("build B"), std::string::npos) << line;
  dispatcher.dismiss();
}

TEST_F(MpiChannelTest, receive_of_bytes_that_are_no_message_throws) {
  MPI_Comm communicator = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &communicator);
  if (m_rank == 0) {
    const std::string garbage(1000, '\x55');
    for (int peer = 1; peer < m_size; ++peer)
      MPI_Send(garbage.data(), static_cast<int>(garbage.size()), MPI_BYTE, peer, k_tag, communicator);
  } else {
    const auto channel = make_mpi_worker_channel(communicator);
    EXPECT_THROW(std::ignore = channel->receive(20s), Fatal);
  }
  MPI_Comm_free(&communicator);
}

TEST_F(MpiChannelTest, messages_sent_before_the_channel_ends_still_arrive) {
  if (m_rank != 0) {
    for (std::uint64_t i = 0; i < 100; ++i) m_channel->send(0, Tick{i, 0, 0, 0, {}});
    Begin begin;
    begin.job.item.data.assign(4 << 20, 'x');
    m_channel->send(0, begin);
    m_channel.reset();
    return;
  }
  for (int n = 0; n < 101 * (m_size - 1); ++n)
    if (!receive_soon(*m_channel)) return;
}

TEST(MpiShareTest, what_rank_0_says_reaches_all) {
  const bool is_first = test::session().rank() == 0;
  for (const std::string& text : {std::string("go on"), std::string(), std::string("a\0b", 3), std::string(100'000, 'x')})
    EXPECT_EQ(test::session().share(is_first ? text : "of another"), text);
}

TEST(MpiLinks, MeasuresTheWayToAnotherRank) {
  const auto links = test::session().measure_links();
  if (test::session().rank() != 0 || test::session().size() == 1) {
    EXPECT_TRUE(links.empty());
    return;
  }
  EXPECT_EQ(links.size(), 1U);  // all ranks are on one host
  for (const MpiSession::Link& link : links) {
    EXPECT_EQ(link.rank, 1);
    EXPECT_GT(link.latency_us, 0);
    EXPECT_GT(link.mib_per_s, 0);
  }
}

}  // namespace
}  // namespace lhsm::comm
