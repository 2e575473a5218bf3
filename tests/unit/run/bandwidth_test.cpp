// SPDX-License-Identifier: LGPL-2.1-or-later
// A whole run under a limit: it holds however many workers copy, changes while they copy, and hinders
// neither progress nor cancel nor stop.
#include "whole_run.hpp"

namespace lhsm::run {
namespace {

using Seconds = std::chrono::duration<double>;

class BandwidthTest : public WholeRunTest {
 protected:
  void start_limited(int workers, std::uint64_t limit) {
    m_bandwidth = limit;
    m_dispatcher_options.bandwidth = &m_bandwidth;
    start(workers);
  }
  void change(std::uint64_t limit) {
    m_bandwidth = limit;
    m_hub->wake();
  }
  /// Archive files of these sizes and return how long it took.
  double time_of(const std::vector<std::size_t>& sizes) {
    std::vector<Fid> fids;
    for (const std::size_t size : sizes) fids.push_back(m_lustre.make_file(pattern(size)));
    const TimePoint begun = std::chrono::steady_clock::now();
    const auto items = carry_out(ActionKind::archive, fids);
    const double took = Seconds(std::chrono::steady_clock::now() - begun).count();
    for (const auto& item : items) EXPECT_EQ(result(item), 0);
    return took;
  }
  /// What follows is a second's worth of bytes, of which a fifth may have been saved up while nothing was copied.
  static constexpr double k_least = 0.79;
  static constexpr double k_late = 60;  // a busy machine may be late, but never early

  std::atomic<std::uint64_t> m_bandwidth = 0;
};

TEST_F(BandwidthTest, HoldsForOneWorker) {
  start_limited(1, 8 * k_MiB);
  const double took = time_of({2 * k_MiB, 2 * k_MiB, 2 * k_MiB, 2 * k_MiB});
  EXPECT_GE(took, k_least);
  EXPECT_LE(took, k_late);
}

TEST_F(BandwidthTest, HoldsForFourWorkersTogether) {
  start_limited(4, 16 * k_MiB);
  const double took = time_of(std::vector<std::size_t>(16, k_MiB));
  EXPECT_GE(took, k_least);
  EXPECT_LE(took, k_late);
}

TEST_F(BandwidthTest, HoldsForAStripedFile) {
  start_limited(3, 16 * k_MiB);
  const double took = time_of({16 * k_MiB});
  EXPECT_GE(took, k_least);
  EXPECT_LE(took, k_late);
}

TEST_F(BandwidthTest, HoldsForManySmallFiles) {
  start_limited(2, 4 * k_MiB);
  const double took = time_of(std::vector<std::size_t>(512, 8192));
  EXPECT_GE(took, k_least);
  EXPECT_LE(took, k_late);
}

TEST_F(BandwidthTest, ARaisedOrLiftedLimitSetsCopiesFreeThatWait) {
  start_limited(2, 1);  // a piece takes a day
  const Fid fid = m_lustre.make_file(pattern(k_MiB));
  const auto items = m_lustre.send(ActionKind::archive, {fid});
  ASSERT_TRUE(m_lustre.wait_for_calls(Call::copy_start, 1));
  change(0);
  ASSERT_TRUE(m_lustre.wait_for_end_of(items));
  EXPECT_EQ(result(items.front()), 0);
  change(1);
  const auto second = m_lustre.send(ActionKind::archive, {m_lustre.make_file(pattern(k_MiB))});
  ASSERT_TRUE(m_lustre.wait_for_calls(Call::copy_start, 2));
  change(k_GiB);
  ASSERT_TRUE(m_lustre.wait_for_end_of(second));
  EXPECT_EQ(result(second.front()), 0);
}

TEST_F(BandwidthTest, ProgressGoesOutAndACancelIsHeardWhileACopyWaits) {
  start_limited(1, 1);
  const auto items = m_lustre.send(ActionKind::archive, {m_lustre.make_file(pattern(k_MiB))});
  ASSERT_TRUE(m_lustre.wait_for_calls(Call::progress, 3));
  m_lustre.cancel(items.front());
  ASSERT_TRUE(m_lustre.wait_for_end_of(items));
  EXPECT_EQ(m_lustre.record(items.front()).ends.front(), ECANCELED);
}

TEST_F(BandwidthTest, AStopIsHeardWhileAStripedCopyWaits) {
  start_limited(3, 1);
  const auto items = m_lustre.send(ActionKind::archive, {m_lustre.make_file(pattern(8 * k_MiB))});
  ASSERT_TRUE(m_lustre.wait_for_calls(Call::progress, 2));
  request_stop();
  request_stop();
  join();
  EXPECT_EQ(m_lustre.record(items.front()).ends.size(), 1U);
  EXPECT_EQ(state().put_back, 1U);
}

}  // namespace
}  // namespace lhsm::run
