// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/waker.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "support/thread_state.hpp"

namespace lhsm::comm {
namespace {

using namespace std::chrono_literals;

TimePoint now() { return std::chrono::steady_clock::now(); }

TEST(WakerTest, wait_ends_with_the_timeout) {
  Waker waker;
  const TimePoint begun = now();
  EXPECT_FALSE(waker.wait(20ms));
  EXPECT_GE(now() - begun, 20ms);
}

TEST(WakerTest, wait_of_no_or_negative_time_returns_at_once) {
  Waker waker;
  const TimePoint begun = now();
  EXPECT_FALSE(waker.wait(0ms));
  EXPECT_FALSE(waker.wait(-5s));
  EXPECT_FALSE(waker.wait(Duration::min()));
  EXPECT_LT(now() - begun, 2s);
}

TEST(WakerTest, wake_before_wait_is_kept_and_counted_once) {
  Waker waker;
  for (int i = 0; i < 1000; ++i) waker.wake();
  const TimePoint begun = now();
  EXPECT_TRUE(waker.wait(10s));
  EXPECT_LT(now() - begun, 5s);
  EXPECT_FALSE(waker.wait(0ms));
}

TEST(WakerTest, wake_of_another_thread_ends_a_wait) {
  Waker waker;
  std::jthread other([&waker, tid = ::gettid()] {
    EXPECT_TRUE(test::wait_until_asleep(tid));
    waker.wake();
  });
  const TimePoint begun = now();
  EXPECT_TRUE(waker.wait(Duration::max()));
  EXPECT_LT(now() - begun, 5s);
}

TEST(WakerTest, wake_may_be_called_by_a_signal_handler) {
  static Waker* target = nullptr;
  Waker waker;
  target = &waker;
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) { target->wake(); };
  ASSERT_EQ(::sigaction(SIGUSR2, &action, &before), 0);
  errno = 77;
  ASSERT_EQ(::raise(SIGUSR2), 0);
  EXPECT_EQ(errno, 77);
  EXPECT_TRUE(waker.wait(5s));
  ASSERT_EQ(::sigaction(SIGUSR2, &before, nullptr), 0);
}

}  // namespace
}  // namespace lhsm::comm
