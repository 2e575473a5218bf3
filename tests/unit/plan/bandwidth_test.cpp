// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/bandwidth.hpp"

#include <gtest/gtest.h>

#include <map>

namespace lhsm::plan {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t k_limit = 20'000'000;
constexpr std::uint64_t k_buffer = 1 << 20;

class BandwidthShareTest : public ::testing::Test {
 protected:
  BandwidthShareTest() { m_share.set_limit(k_limit, m_now); }

  /// Let time pass, and workers want `wanted` bytes more whenever they have less left than that.
  void run(Duration time, const std::map<WorkerId, std::uint64_t>& wanted, Duration step = 1ms) {
    for (const TimePoint end = m_now + time; m_now < end; m_now += step) {
      for (const auto& [worker, bytes] : wanted) m_share.want(worker, m_granted[worker] + bytes);
      while (const auto grant = m_share.next(m_now)) m_granted[grant->worker] += grant->bytes;
    }
  }
  [[nodiscard]] double megabytes() const {
    double sum = 0;
    for (const auto& [worker, bytes] : m_granted) sum += static_cast<double>(bytes) / 1e6;
    return sum;
  }

  BandwidthShare m_share;
  TimePoint m_now{1h};
  std::map<WorkerId, std::uint64_t> m_granted;
};

TEST_F(BandwidthShareTest, OneWorkerGetsTheLimitAndNoMore) {
  run(10s, {{0, k_buffer}});
  EXPECT_LE(megabytes(), 200);
  EXPECT_GE(megabytes(), 198);
}

TEST_F(BandwidthShareTest, WorkersShareItEvenly) {
  run(10s, {{0, 4 * k_buffer}, {1, 4 * k_buffer}, {2, 4 * k_buffer}, {3, 4 * k_buffer}});
  EXPECT_LE(megabytes(), 200);
  EXPECT_GE(megabytes(), 196);
  for (const auto& [worker, bytes] : m_granted) EXPECT_NEAR(static_cast<double>(bytes) / 1e6, 50, 2) << worker;
}

TEST_F(BandwidthShareTest, WhatOneDoesNotUseOthersGet) {
  run(10s, {{0, 4 * k_buffer}, {1, 100}});
  EXPECT_GE(megabytes(), 196);
  EXPECT_LE(megabytes(), 200);
  run(10s, {{0, 4 * k_buffer}});
  EXPECT_GE(static_cast<double>(m_granted[0]) / 1e6, 290);
}

TEST_F(BandwidthShareTest, SmallWantsGetAPieceAhead) {
  m_share.want(0, 1000);
  m_now += 1s;
  const auto grant = m_share.next(m_now);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->bytes, bandwidth_piece(k_limit));
  EXPECT_FALSE(m_share.next(m_now));
}

TEST_F(BandwidthShareTest, AnIdleTimeIsNotSavedUp) {
  m_now += 1h;
  run(10s, {{0, k_buffer}});
  EXPECT_LE(megabytes(), 200 + 0.2 * 20);
}

TEST_F(BandwidthShareTest, ASlowDispatcherLosesNothing) {
  run(10s, {{0, 8 * k_buffer}}, 100ms);
  EXPECT_GE(megabytes(), 196);
}

TEST_F(BandwidthShareTest, ALowLimitIsHeldInSmallPieces) {
  m_share.set_limit(1'000'000, m_now);
  run(10s, {{0, 4 * k_buffer}, {1, 4 * k_buffer}});
  EXPECT_LE(megabytes(), 10);
  EXPECT_GE(megabytes(), 9.8);
}

TEST_F(BandwidthShareTest, WhatIsTakenBackIsNotGranted) {
  m_share.want(0, k_buffer);
  m_share.want(1, k_buffer);
  m_share.want(0, 0);
  m_now += 50ms;
  EXPECT_EQ(m_share.due(m_now), m_now);
  const auto grant = m_share.next(m_now);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->worker, 1);
}

TEST_F(BandwidthShareTest, DueIsWhenTheNextGrantCanBeMade) {
  EXPECT_FALSE(m_share.due(m_now));
  m_share.want(0, k_buffer);
  const auto due = m_share.due(m_now);
  ASSERT_TRUE(due);
  EXPECT_GT(*due, m_now + 40ms);
  EXPECT_FALSE(m_share.next(*due - 1ms));
  EXPECT_TRUE(m_share.next(*due));
}

TEST_F(BandwidthShareTest, AChangedLimitHoldsFromThenOn) {
  run(5s, {{0, k_buffer}});
  m_share.set_limit(k_limit * 4, m_now);
  EXPECT_FALSE(m_share.due(m_now)) << "wants are said anew";
  const double before = megabytes();
  run(5s, {{0, k_buffer}});
  EXPECT_NEAR(megabytes() - before, 400, 8);
}

TEST_F(BandwidthShareTest, WithoutALimitNothingIsGranted) {
  m_share.set_limit(0, m_now);
  m_share.want(0, k_buffer);
  EXPECT_FALSE(m_share.due(m_now));
  EXPECT_FALSE(m_share.next(m_now + 1h));
}

}  // namespace
}  // namespace lhsm::plan
