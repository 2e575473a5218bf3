// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/byte_budget.hpp"

#include <gtest/gtest.h>

#include <future>
#include <vector>

#include "support/memory_bytes.hpp"

namespace lhsm::run {
namespace {

using namespace std::chrono_literals;

/// A budget whose wants are recorded; a test can wait for the next one.
class ByteBudgetTest : public ::testing::Test {
 protected:
  std::future<Status> take(std::uint64_t bytes, std::function<Status()> while_waiting = {}) {
    const std::size_t known = wants();
    auto taken = std::async(std::launch::async, [this, bytes, while_waiting = std::move(while_waiting)] {
      return m_budget.take(bytes, m_stop, 5ms, while_waiting);
    });
    std::unique_lock lock(m_mutex);
    EXPECT_TRUE(m_changed.wait_for(lock, 30s, [&] { return m_wants.size() > known; }));
    return taken;
  }
  [[nodiscard]] static bool done(std::future<Status>& taken) { return taken.wait_for(0s) == std::future_status::ready; }
  [[nodiscard]] std::size_t wants() {
    const std::lock_guard lock(m_mutex);
    return m_wants.size();
  }
  [[nodiscard]] std::uint64_t last_want() {
    const std::lock_guard lock(m_mutex);
    return m_wants.back();
  }

  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::vector<std::uint64_t> m_wants;
  StopFlag m_stop;
  ByteBudget m_budget{[this](std::uint64_t total) {
    const std::lock_guard lock(m_mutex);
    m_wants.push_back(total);
    m_changed.notify_all();
  }};
};

TEST_F(ByteBudgetTest, WithoutALimitNothingIsWantedAndNobodyWaits) {
  EXPECT_TRUE(m_budget.take(1 << 30, m_stop, 1h, {}));
  EXPECT_EQ(wants(), 0U);
}

TEST_F(ByteBudgetTest, WaitsForAGrantAndKeepsWhatIsOver) {
  m_budget.set_limit(1'000'000);
  auto taken = take(1000);
  EXPECT_EQ(last_want(), 1000U);
  m_budget.grant(999);
  EXPECT_FALSE(done(taken));
  m_budget.grant(501);
  EXPECT_TRUE(taken.get());
  EXPECT_TRUE(m_budget.take(500, m_stop, 1h, {})) << "of the first grant";
  EXPECT_EQ(wants(), 1U);
  auto next = take(10);
  EXPECT_EQ(last_want(), 1510U);
  m_budget.grant(10);
  EXPECT_TRUE(next.get());
}

TEST_F(ByteBudgetTest, ServesInOrderSoThatALargeTakeIsNotStarved) {
  m_budget.set_limit(1'000'000);
  auto large = take(1000);
  auto small = take(1);
  EXPECT_EQ(last_want(), 1001U);
  m_budget.grant(999);
  EXPECT_FALSE(done(small));
  m_budget.grant(2);
  EXPECT_TRUE(large.get());
  EXPECT_TRUE(small.get());
}

TEST_F(ByteBudgetTest, AStopEndsTheWaitAndTakesTheWantBack) {
  m_budget.set_limit(1'000'000);
  auto taken = take(1000);
  m_stop.raise({ErrorKind::cancelled, ECANCELED, "cancel", "test"});
  m_budget.recheck();
  const Status status = taken.get();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().sys_errno, ECANCELED);
  EXPECT_EQ(last_want(), 0U);
}

TEST_F(ByteBudgetTest, ReportsWhileItWaitsAndHeedsTheAnswer) {
  m_budget.set_limit(1'000'000);
  std::atomic<int> reports = 0;
  auto taken = take(1000, [&reports]() -> Status {
    if (++reports < 3) return {};
    return errno_error("progress", "test", ECANCELED);
  });
  const Status status = taken.get();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().sys_errno, ECANCELED);
  EXPECT_EQ(reports, 3);
}

TEST_F(ByteBudgetTest, ALimitThatIsLiftedLetsAllGoOn) {
  m_budget.set_limit(1'000'000);
  auto taken = take(1000);
  m_budget.set_limit(0);
  EXPECT_TRUE(taken.get());
}

/// A cancel is heard while it waits, and the limit goes at the same time: nothing was taken, so nothing may
/// be given back, or the next wants would be of the end of all numbers.
TEST_F(ByteBudgetTest, AnErrorWhileALimitIsLiftedGivesNothingBack) {
  m_budget.set_limit(1'000'000);
  auto taken = take(1000, [this]() -> Status {
    m_budget.set_limit(0);
    return errno_error("progress", "test", ECANCELED);
  });
  EXPECT_FALSE(taken.get());
  m_budget.set_limit(1'000'000);
  auto next = take(300);
  EXPECT_EQ(last_want(), 300U);
  m_budget.grant(300);
  EXPECT_TRUE(next.get());
}

/// What a copy that was cancelled at that moment had been served goes to those that wait behind it.
TEST_F(ByteBudgetTest, AnErrorAfterAGrantLetsTheNextOneHaveIt) {
  m_budget.set_limit(1'000'000);
  std::promise<void> asked;
  std::promise<void> granted;
  auto first = take(1000, [&]() -> Status {
    asked.set_value();
    granted.get_future().wait();
    return errno_error("progress", "test", ECANCELED);
  });
  asked.get_future().wait();
  auto second = take(1000);
  m_budget.grant(1000);
  granted.set_value();
  EXPECT_FALSE(first.get());
  ASSERT_EQ(second.wait_for(30s), std::future_status::ready);
  EXPECT_TRUE(second.get());
}

TEST_F(ByteBudgetTest, AChangedLimitIsAskedAnew) {
  m_budget.set_limit(1'000'000);
  auto taken = take(1000);
  m_budget.set_limit(2'000'000);
  EXPECT_EQ(wants(), 2U);
  EXPECT_EQ(last_want(), 1000U);
  m_budget.grant(1000);
  EXPECT_TRUE(taken.get());
}

TEST_F(ByteBudgetTest, AChangedLimitForgetsWhatWasGrantedUnderTheOther) {
  m_budget.set_limit(std::uint64_t{1} << 30);
  m_budget.grant(5'000'000);
  m_budget.set_limit(65'536);
  auto taken = take(1000);
  EXPECT_FALSE(done(taken));
  EXPECT_EQ(last_want(), 5'001'000U) << "the dispatcher counts what it granted";
  m_budget.grant(1000);
  EXPECT_TRUE(taken.get());
}

TEST_F(ByteBudgetTest, ACloseEndsTheWait) {
  m_budget.set_limit(1'000'000);
  auto taken = take(1000);
  m_budget.close();
  const Status status = taken.get();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().sys_errno, EAGAIN);
}

TEST_F(ByteBudgetTest, ASourceTakesItsBytesInPieces) {
  test::MemorySource bytes(test::pattern(200'000));
  BudgetedSource source(bytes, m_budget, m_stop, 1h, {});
  std::string out(200'000, '\0');
  EXPECT_EQ(source.read_at(std::as_writable_bytes(std::span(out)), 0), out.size());
  EXPECT_EQ(bytes.reads.size(), 1U) << "one read without a limit";
  m_budget.set_limit(1'000'000);
  m_budget.grant(200'000);
  bytes.reads.clear();
  out.assign(out.size(), '\0');
  EXPECT_EQ(source.read_at(std::as_writable_bytes(std::span(out)), 0), out.size());
  EXPECT_EQ(out, bytes.bytes());
  EXPECT_EQ(bytes.reads.size(), 4U);
  m_budget.grant(100'000);
  EXPECT_EQ(source.read_at(std::as_writable_bytes(std::span(out)), 150'000), 50'000U) << "the end of the source";
}

}  // namespace
}  // namespace lhsm::run
