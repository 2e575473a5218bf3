// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How a run begins and ends: greetings, draining, the drain's timeout.
#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

class WholeRunStopTest : public WholeRunTest {
 protected:
  /// Greet workers that only say what `hellos` gives; return the complaint.
  std::string greet(const std::vector<std::optional<comm::Hello>>& hellos) {
    comm::LoopbackHub hub(static_cast<int>(hellos.size()));
    std::vector<WorkerId> ids(hellos.size());
    std::iota(ids.begin(), ids.end(), 0);
    for (const WorkerId id : ids)
      if (const auto& hello = hellos.at(static_cast<std::size_t>(id))) hub.worker(id).send(0, *hello);
    m_dispatcher_options.greeting_timeout = m_greeting_timeout;
    Dispatcher dispatcher(hub, ids, "build", m_dispatcher_options, m_clock, m_observer);
    try {
      return dispatcher.greet(m_stop) ? "" : "stopped";
    } catch (const Fatal& error) {
      return error.what();
    }
  }
  static comm::Hello hello(const std::string& build = "build", std::uint32_t slots = 2) {
    comm::Hello hello;
    hello.build = build;
    hello.host = "node7";
    hello.slots = slots;
    return hello;
  }

  std::chrono::milliseconds m_greeting_timeout = 50ms;
};

TEST_F(WholeRunStopTest, greet_takes_ranks_of_one_build) { EXPECT_EQ(greet({hello(), hello()}), ""); }

TEST_F(WholeRunStopTest, greet_refuses_another_build) {
  const std::string line = greet({hello(), hello("other-build")});
  EXPECT_NE(line.find("rank 1 on node7"), std::string::npos) << line;
  EXPECT_NE(line.find("other-build"), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST_F(WholeRunStopTest, greet_refuses_a_rank_that_is_unable) {
  comm::Hello unable = hello();
  unable.unable = Error{ErrorKind::not_found, ENOENT, "statfs", "/mnt/missing"};
  const std::string line = greet({hello(), unable});
  EXPECT_NE(line.find("rank 1 on node7"), std::string::npos) << line;
  EXPECT_NE(line.find("/mnt/missing"), std::string::npos) << line;
}

TEST_F(WholeRunStopTest, greet_refuses_a_rank_without_slots) {
  EXPECT_NE(greet({hello("build", 0)}).find("no slots"), std::string::npos);
}

TEST_F(WholeRunStopTest, greet_names_a_silent_rank) {
  EXPECT_NE(greet({hello(), std::nullopt}).find("rank 1 did not say hello"), std::string::npos);
}

TEST_F(WholeRunStopTest, greet_of_a_silent_rank_ends_with_a_stop) {
  m_greeting_timeout = 1h;
  m_stop.count = 1;
  EXPECT_EQ(greet({hello(), std::nullopt}), "stopped");
}

TEST_F(WholeRunStopTest, unable_worker_says_why_and_waits_for_the_end) {
  comm::LoopbackHub hub(1);
  std::jthread worker([&hub] {
    run_unable_worker(hub.worker(0), {"build", "node7", 2}, {ErrorKind::not_found, ENOENT, "open", "/archive"});
  });
  m_dispatcher_options.greeting_timeout = 10s;
  Dispatcher dispatcher(hub, {0}, "build", m_dispatcher_options, m_clock, m_observer);
  EXPECT_THROW((void)dispatcher.greet(m_stop), Fatal);
  dispatcher.dismiss();
  worker.join();
}

TEST_F(WholeRunStopTest, stop_of_an_idle_run_is_quick) {
  start(3);
  carry_out(ActionKind::archive, {m_lustre.make_file("x")});
  const TimePoint begun = m_clock.now();
  stop();
  EXPECT_LT(m_clock.now() - begun, 5s);
  EXPECT_EQ(m_fatal, "");
}

TEST_F(WholeRunStopTest, drain_finishes_what_runs_and_puts_back_the_rest) {
  Gate gate;
  m_lustre.before(Call::copy_start, [&gate](const Fid&) { return gate.pass(); });
  start(1, 2);
  std::vector<Fid> fids;
  for (int i = 0; i < 50; ++i) fids.push_back(m_lustre.make_file("content"));
  const auto items = m_lustre.send(ActionKind::archive, fids);
  ASSERT_TRUE(gate.wait_for_arrivals(2));
  request_stop();
  gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  join();
  EXPECT_EQ(state().final(), 50U);
  EXPECT_EQ(state().archived + state().put_back, 50U);
  EXPECT_GE(state().archived, 2U);
  EXPECT_GE(state().put_back, 1U);
  EXPECT_EQ(state().failed, 0U);
  for (const ActionItem& item : items) EXPECT_TRUE(result(item) == 0 || result(item) == EAGAIN) << result(item);
}

TEST_F(WholeRunStopTest, drain_lets_a_striped_file_finish) {
  const ActionItem item = start_striped_at_gate();
  request_stop();
  m_gate.open();
  join();
  EXPECT_EQ(result(item), 0);
  EXPECT_TRUE(test::read_file(object(m_striped)) == m_striped_content);
}

TEST_F(WholeRunStopTest, drain_timeout_stops_what_runs) {
  m_dispatcher_options.drain_timeout = 0ms;
  const ActionItem item = start_striped_at_gate();
  request_stop();
  // The gate is opened when the stop has had time to reach the workers; without it 8 extents follow.
  std::this_thread::sleep_for(100ms);
  m_gate.open();
  join();
  EXPECT_EQ(result(item), EAGAIN);
  EXPECT_EQ(state().put_back, 1U);
  EXPECT_FALSE(std::filesystem::exists(object(m_striped)));
}

TEST_F(WholeRunStopTest, second_stop_stops_what_runs) {
  const ActionItem item = start_striped_at_gate();
  request_stop();
  request_stop();
  std::this_thread::sleep_for(100ms);
  m_gate.open();
  join();
  EXPECT_EQ(result(item), EAGAIN);
}

TEST_F(WholeRunStopTest, third_stop_waits_for_nobody) {
  start_striped_at_gate();
  for (int i = 0; i < 3; ++i) request_stop();
  m_dispatcher_thread.join();  // while the copies still stand at the gate
  EXPECT_FALSE(m_lustre.registered()) << "the coordinator would go on sending";
  EXPECT_NE(m_fatal.find("1 actions are not ended: rank"), std::string::npos) << m_fatal;
  m_gate.open();
  m_worker_threads.clear();
}

/// Between the dispatcher's last look at what has arrived and the end of the registration another list
/// can come in. Its actions count as received.
TEST_F(WholeRunStopTest, stop_loses_no_action_that_arrives_meanwhile) {
  class LateClock final : public Clock {
   public:
    explicit LateClock(std::function<void()> on_stop) : m_on_stop(std::move(on_stop)) {}
    [[nodiscard]] TimePoint now() const override {
      if (stopping.exchange(false)) m_on_stop();
      return std::chrono::steady_clock::now();
    }
    mutable std::atomic<bool> stopping = false;

   private:
    std::function<void()> m_on_stop;
  };
  std::vector<ActionItem> late;
  LateClock clock([this, &late] {
    // Called by the dispatcher's thread after it has taken what was there.
    late = m_lustre.send(ActionKind::archive, {m_lustre.make_file("late")});
    EXPECT_TRUE(m_lustre.wait_for_calls(Call::mdt_index, 2));
    std::this_thread::sleep_for(50ms);  // from the look-up into the receiver's hands
  });
  m_hub = std::make_unique<comm::LoopbackHub>(1);
  m_worker_threads.emplace_back([this] {
    run_worker(m_hub->worker(0), {"build", "host", 2}, m_lustre, *m_backend, m_options);
  });
  m_dispatcher = std::make_unique<Dispatcher>(*m_hub, std::vector<WorkerId>{0}, "build", m_dispatcher_options, clock, m_observer);
  m_dispatcher_thread = std::jthread([this] {
    EXPECT_TRUE(m_dispatcher->greet({}));
    m_dispatcher->serve(m_lustre, m_stop);
    m_dispatcher->dismiss();
  });
  carry_out(ActionKind::archive, {m_lustre.make_file("first")});
  m_stop.count = 1;
  clock.stopping = true;
  m_hub->wake();
  join();
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(m_lustre.record(late.front()).ends.size(), 1U) << "received, but never ended";
}

}  // namespace
}  // namespace lhsm::run
