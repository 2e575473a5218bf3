// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/signals.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>

namespace lhsm {
namespace {

TEST(SignalThreadTest, what_comes_while_they_are_held_is_for_the_next_one) {
  SignalThread signals;
  std::mutex mutex;
  std::condition_variable changed;
  int former = 0;
  int next = 0;
  signals.deliver_to([&former](int) { ++former; });
  signals.hold();
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  signals.deliver_to([&](int number) {
    const std::lock_guard lock(mutex);
    next = number;
    changed.notify_all();
  });
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&next] { return next == SIGUSR1; }));
  }
  signals.deliver_to({});
  EXPECT_EQ(former, 0);
}

}  // namespace
}  // namespace lhsm
