// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/deadline_watch.hpp"

#include <gtest/gtest.h>

namespace lhsm::bulk {
namespace {

using namespace std::chrono_literals;
using Verdict = DeadlineWatch::Verdict;

constexpr std::uint64_t k_GB = 1'000'000'000;
const TimePoint k_start = TimePoint{} + 1h;

/// An hour from k_start, with `items` of `size` that took `each` one after the other.
DeadlineWatch watch_after(int items, std::uint64_t size, Duration each) {
  DeadlineWatch watch({.stop_at = k_start + 1h});
  TimePoint now = k_start;
  for (int i = 0; i < items; ++i, now += each) {
    watch.begun(size, now);
    watch.over(size);
    watch.succeeded(size, each);
  }
  return watch;
}

TEST(DeadlineWatchTest, WithoutADeadlineEverythingFits) {
  DeadlineWatch watch({});
  watch.begun(k_GB, k_start);
  watch.over(k_GB);
  watch.succeeded(k_GB, 1h);
  EXPECT_EQ(watch.judge(~std::uint64_t{0}, k_start + 10000h), Verdict::fits);
  EXPECT_FALSE(watch.has_come(k_start + 10000h));
}

TEST(DeadlineWatchTest, NothingBeginsOnceItHasCome) {
  const DeadlineWatch watch({.stop_at = k_start + 1h});
  EXPECT_EQ(watch.judge(0, k_start + 1h - 1ms), Verdict::fits);
  EXPECT_EQ(watch.judge(0, k_start + 1h), Verdict::late);
  EXPECT_FALSE(watch.has_come(k_start + 1h - 1ms));
  EXPECT_TRUE(watch.has_come(k_start + 1h));
}

TEST(DeadlineWatchTest, WhatNobodyHasMeasuredIsLetThrough) {
  DeadlineWatch watch({.stop_at = k_start + 1s});
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(watch.judge(1000 * k_GB, k_start), Verdict::fits);
    watch.begun(1000 * k_GB, k_start);
  }
}

TEST(DeadlineWatchTest, AFileIsLeftWhenItAloneWouldNotEnd) {
  const DeadlineWatch watch = watch_after(60, 10 * k_GB, 10s);  // 1 GB/s, and 50 minutes are left
  EXPECT_EQ(watch.judge(2900 * k_GB, k_start + 10min), Verdict::fits);
  EXPECT_EQ(watch.judge(3100 * k_GB, k_start + 10min), Verdict::late);
  EXPECT_EQ(watch.judge(2900 * k_GB, k_start + 20min), Verdict::late) << "less is left";
}

TEST(DeadlineWatchTest, AFileWaitsWhenItWouldNotEndBehindTheOthers) {
  DeadlineWatch watch = watch_after(60, 10 * k_GB, 10s);
  const TimePoint now = k_start + 10min;
  watch.begun(2000 * k_GB, now);
  EXPECT_EQ(watch.judge(900 * k_GB, now), Verdict::fits);
  EXPECT_EQ(watch.judge(1100 * k_GB, now), Verdict::wait);
  watch.over(2000 * k_GB);
  EXPECT_EQ(watch.judge(1100 * k_GB, now), Verdict::fits) << "nothing is before it any more";
}

TEST(DeadlineWatchTest, SmallFilesAreJudgedByTheirNumber) {
  DeadlineWatch watch = watch_after(600, 0, 100ms);  // 10 a second
  const TimePoint now = k_start + 1h - 10s;
  // 600 in (an hour less 10 s) on the average of the run: one in six seconds.
  EXPECT_EQ(watch.judge(0, now), Verdict::fits);
  watch.begun(0, now);
  EXPECT_EQ(watch.judge(0, now), Verdict::wait);
  watch.over(0);
  EXPECT_EQ(watch.judge(0, now), Verdict::fits);
}

TEST(DeadlineWatchTest, SmallFilesDoNotTellWhatALargeOneTakes) {
  // 100 files of 4 KB a second: 40 MB would be "late" by that.
  DeadlineWatch watch = watch_after(6000, 4000, 10ms);
  const TimePoint now = k_start + 1min;
  EXPECT_EQ(watch.judge(1000 * k_GB, now), Verdict::fits);
  watch.begun(1000 * k_GB, now);
  EXPECT_EQ(watch.judge(4000, now), Verdict::fits) << "it holds nobody up";
  EXPECT_EQ(watch.judge(1000 * k_GB, now), Verdict::fits);
  watch.over(1000 * k_GB);
  watch.begun(k_GB, now);
  watch.over(k_GB);
  watch.succeeded(k_GB, 1s);
  EXPECT_EQ(watch.judge(3000 * k_GB, now), Verdict::fits);
  EXPECT_EQ(watch.judge(4000 * k_GB, now), Verdict::late);
}

TEST(DeadlineWatchTest, WhatOthersCarriedOutIsMeasuredByTheRunsTime) {
  const DeadlineWatch unmeasured({.stop_at = k_start + 1h});
  DeadlineWatch watch = unmeasured;
  watch.begun(k_GB, k_start);
  watch.over(k_GB);
  watch.succeeded(k_GB, {});
  EXPECT_EQ(watch.judge(3000 * k_GB, k_start + 1s), Verdict::fits);
  EXPECT_EQ(watch.judge(4000 * k_GB, k_start + 1s), Verdict::late);
}

TEST(DeadlineWatchTest, AStallDoesNotMakeFilesLate) {
  const DeadlineWatch watch = watch_after(1, 10 * k_GB, 10s);
  // Nothing for half an hour: the run's average is bad, what a file can do is not.
  EXPECT_EQ(watch.judge(1000 * k_GB, k_start + 30min), Verdict::fits);
}

TEST(DeadlineWatchTest, ItemsWithoutDataNeedNoTimeForData) {
  const DeadlineWatch watch = watch_after(3, 0, 0s);
  EXPECT_EQ(watch.judge(1000 * k_GB, k_start + 30min), Verdict::fits) << "no byte was measured yet";
}

}  // namespace
}  // namespace lhsm::bulk
