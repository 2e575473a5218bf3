// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/idle_watch.hpp"

#include <gtest/gtest.h>

namespace lhsm::run {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint at(Duration time) { return TimePoint{} + 1000s + time; }

TEST(IdleWatchTest, counts_only_while_actions_wait) {
  IdleWatch watch(3);
  watch.heard(1, 50s, at(0s));  // nothing waits
  watch.waiting(true, at(10s));
  watch.heard(1, 64s, at(14s));  // of 14 s at most four are after the first wait
  watch.heard(2, 1s, at(14s));
  EXPECT_EQ(watch.most_idle(), 4s);
  watch.waiting(true, at(15s));
  watch.heard(1, 65s, at(20s));
  watch.waiting(false, at(20s));
  watch.heard(1, 95s, at(50s));
  EXPECT_EQ(watch.most_idle(), 5s);
  EXPECT_EQ(watch.waited(), 5s);  // until it was last seen that some wait
}

TEST(IdleWatchTest, answers_for_the_rank_that_is_idle_longest) {
  IdleWatch watch(4);
  watch.waiting(true, at(0s));
  watch.heard(1, 1s, at(10s));
  watch.heard(2, 3s, at(10s));
  watch.heard(1, 3s, at(20s));
  EXPECT_EQ(watch.most_idle(), 3s);
  watch.heard(1, 4s, at(30s));
  EXPECT_EQ(watch.most_idle(), 4s);
}

}  // namespace
}  // namespace lhsm::run
