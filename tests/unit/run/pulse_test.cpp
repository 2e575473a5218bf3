// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/pulse.hpp"

#include <gtest/gtest.h>

#include <future>

#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

constexpr TimePoint k_start{1000s};

TEST(SilenceWatchTest, silent_after_two_seconds_of_work) {
  SilenceWatch watch(k_start);
  for (TimePoint now = k_start; now <= k_start + 2s; now += 100ms) EXPECT_FALSE(watch.silent(now, true));
  EXPECT_TRUE(watch.silent(k_start + 2100ms, true));
  watch.heard(k_start + 2200ms);
  EXPECT_FALSE(watch.silent(k_start + 2300ms, true));
}

TEST(SilenceWatchTest, slow_dispatcher_is_not_silent) {
  SilenceWatch watch(k_start);
  for (TimePoint now = k_start; now <= k_start + 60s; now += 100ms) {
    EXPECT_FALSE(watch.silent(now, true));
    if ((now - k_start) % 1900ms == 0s) watch.heard(now);
  }
}

TEST(SilenceWatchTest, idle_worker_hears_nothing_and_that_is_right) {
  SilenceWatch watch(k_start);
  for (TimePoint now = k_start; now <= k_start + 60s; now += 500ms) EXPECT_FALSE(watch.silent(now, false));
  EXPECT_FALSE(watch.silent(k_start + 61s, true)) << "the silence counts from the work on";
}

/// Rank 0's own worker is stopped with its dispatcher, and must not take the time for silence.
TEST(SilenceWatchTest, time_in_which_nobody_looked_does_not_count) {
  SilenceWatch watch(k_start);
  EXPECT_FALSE(watch.silent(k_start + 500ms, true));
  EXPECT_FALSE(watch.silent(k_start + 3600s, true));
  EXPECT_FALSE(watch.silent(k_start + 3600500ms, true));
  EXPECT_FALSE(watch.silent(k_start + 3601s, true));
  EXPECT_TRUE(watch.silent(k_start + 3601600ms, true));
}

TEST(PulseTest, wait_returns_when_work_goes_on) {
  Pulse pulse;
  pulse.wait();
  pulse.pause(true);
  auto waiting = std::async(std::launch::async, [&pulse] { pulse.wait(); });
  EXPECT_EQ(waiting.wait_for(50ms), std::future_status::timeout);
  pulse.pause(false);
  EXPECT_EQ(waiting.wait_for(20s), std::future_status::ready);
}

/// A dispatcher that stands still: its observer is called in its thread.
class SilentDispatcherTest : public WholeRunTest {
 protected:
  class StandingObserver final : public Observer {
   public:
    void update(const RunState&, TimePoint) override {
      if (stand) gate.pass();
    }
    void failed(const ActionItem&, const Error&) override {}
    std::atomic<bool> stand = false;
    Gate gate;
  };
};

TEST_F(SilentDispatcherTest, nothing_is_begun_or_ended_until_it_speaks_again) {
  StandingObserver observer;
  Gate begin;
  m_lustre.before(Call::copy_start, [&begin](const Fid&) { return begin.pass(); });
  m_hub = std::make_unique<comm::LoopbackHub>(1);
  m_worker_threads.emplace_back([this] {
    run_worker(m_hub->worker(0), {"build", "host", 1}, m_lustre, *m_backend, m_options);
  });
  m_dispatcher =
      std::make_unique<Dispatcher>(*m_hub, std::vector<WorkerId>{0}, "build", m_dispatcher_options, m_clock, observer);
  m_dispatcher_thread = std::jthread([this] {
    ASSERT_TRUE(m_dispatcher->greet({}));
    m_dispatcher->serve(m_lustre, m_stop);
    m_dispatcher->dismiss();
  });
  // One is at the gate of its begin, another waits behind it in the worker's queue.
  const auto items = m_lustre.send(ActionKind::archive, {m_lustre.make_file(pattern(k_MiB)), m_lustre.make_file("b")});
  ASSERT_TRUE(begin.wait_for_arrivals(1));
  observer.stand = true;
  ASSERT_TRUE(observer.gate.wait_for_arrivals(1));
  // It is this long silence that is tested.
  std::this_thread::sleep_for(k_longest_silence + 500ms);
  begin.open();
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(m_lustre.calls(Call::copy_end), 0);
  EXPECT_EQ(m_lustre.calls(Call::copy_start), 1);
  observer.stand = false;
  observer.gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  for (const ActionItem& item : items) EXPECT_EQ(result(item), 0);
  stop();
}

}  // namespace
}  // namespace lhsm::run
