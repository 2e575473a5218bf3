// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/arrival_times.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace lhsm::run {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint k_start = TimePoint{} + 1h;

TEST(ArrivalTimesTest, nobody_waits_in_an_empty_one) {
  ArrivalTimes times;
  EXPECT_FALSE(times.oldest_waited_for());
  EXPECT_EQ(times.waited_for(), 0U);
  times.over(7, true);
  EXPECT_EQ(times.waited_for(), 0U);
}

TEST(ArrivalTimesTest, oldest_is_the_first_that_is_not_over) {
  ArrivalTimes times;
  times.add(1, false, k_start);
  times.add(2, true, k_start + 1s);
  times.add(3, true, k_start + 2s);
  times.add(4, true, k_start + 3s);
  EXPECT_EQ(times.waited_for(), 3U);
  EXPECT_EQ(times.oldest_waited_for(), k_start + 1s);
  EXPECT_EQ(times.over(3, true), k_start + 2s);
  EXPECT_EQ(times.oldest_waited_for(), k_start + 1s);
  EXPECT_EQ(times.over(2, true), k_start + 1s);
  EXPECT_EQ(times.oldest_waited_for(), k_start + 3s);
  EXPECT_EQ(times.over(1, false), k_start);
  times.over(4, true);
  EXPECT_FALSE(times.oldest_waited_for());
}

TEST(ArrivalTimesTest, a_million_actions_over_a_month_take_some_thousand_spans) {
  ArrivalTimes times;
  std::vector<TimePoint> came(1);
  TimePoint now = k_start;
  for (JobId id = 1; id <= 1'000'000; ++id) {
    now += 2592ms;
    came.push_back(now);
    times.add(id, id % 2 == 0, now);
  }
  EXPECT_LE(times.spans(), 4096U);
  EXPECT_EQ(times.waited_for(), 500'000U);
  for (JobId id = 1; id <= 1'000'000; id += 997) {
    const Duration age = now - came[id];
    EXPECT_LE(times.of(id), came[id]);
    EXPECT_GE(times.of(id), came[id] - age / 64 - 10ms) << id;
  }
  std::mt19937 random(4711);
  std::vector<JobId> order;
  for (JobId id = 2; id <= 1'000'000; id += 2) order.push_back(id);
  std::shuffle(order.begin(), order.end(), random);
  for (const JobId id : order) times.over(id, true);
  EXPECT_EQ(times.waited_for(), 0U);
  EXPECT_FALSE(times.oldest_waited_for());
}

}  // namespace
}  // namespace lhsm::run
