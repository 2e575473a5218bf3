// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/progress_reporter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace lhsm::run {
namespace {

using namespace std::chrono_literals;

/// An action of which only the reports count.
class ReportedAction final : public FileAction {
 public:
  [[nodiscard]] std::uint64_t size() const override { return 0; }
  [[nodiscard]] Status begin(const std::optional<CopyVersion>&) override { return {}; }
  [[nodiscard]] Announcement announce() const override { return {}; }
  [[nodiscard]] Outcome<CopiedFile> copy(copy::Engine&, const StopFlag&) override { return CopiedFile{}; }
  [[nodiscard]] Status report(Extent done) override {
    if (before) before();
    const std::lock_guard lock(m_mutex);
    if (m_reports.size() < 1000) m_reports.push_back(done);
    m_changed.notify_all();
    if (sys_errno != 0) return errno_error("report", "file", sys_errno);
    return {};
  }
  [[nodiscard]] Outcome<Verified> finish(const copy::ObjectDigest&) override { return Verified::yes; }
  void fail(const Error&) override {}

  [[nodiscard]] std::vector<Extent> wait_for_reports(std::size_t count) {
    std::unique_lock lock(m_mutex);
    EXPECT_TRUE(m_changed.wait_for(lock, 20s, [&] { return m_reports.size() >= count; }));
    return m_reports;
  }
  [[nodiscard]] std::size_t reports() {
    const std::lock_guard lock(m_mutex);
    return m_reports.size();
  }
  std::function<void()> before;
  std::atomic<int> sys_errno = 0;

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::vector<Extent> m_reports;
};

class ProgressReporterTest : public ::testing::Test {
 protected:
  ReportedAction m_action;
  std::promise<std::pair<JobId, Error>> m_trouble;
  ProgressReporter m_reporter{20ms, [this](JobId job, const Error& error) { m_trouble.set_value({job, error}); }};
};

TEST_F(ProgressReporterTest, report_of_nothing_is_a_sign_of_life) {
  m_reporter.add(1, m_action);
  for (const Extent& extent : m_action.wait_for_reports(2)) EXPECT_EQ(extent.length, 0U);
  m_reporter.remove(1);
}

TEST_F(ProgressReporterTest, covered_extents_are_joined) {
  std::promise<void> held;
  auto released = held.get_future().share();
  m_action.before = [released] { released.wait_for(20s); };
  m_reporter.add(1, m_action);
  for (const Extent& extent : {Extent{30, 10}, Extent{10, 10}, Extent{60, 5}, Extent{20, 10}, Extent{0, 10}})
    m_reporter.covered(1, {extent});
  held.set_value();
  std::vector<Extent> told;
  for (std::size_t n = 2; told.empty(); ++n)
    for (const Extent& extent : m_action.wait_for_reports(n))
      if (extent.length > 0) told.push_back(extent);
  m_reporter.remove(1);
  EXPECT_EQ(told.front(), (Extent{0, 40}));
}

TEST_F(ProgressReporterTest, covered_of_an_unknown_job_is_ignored) { m_reporter.covered(7, {{0, 1}}); }

TEST_F(ProgressReporterTest, remove_waits_for_a_report_that_is_under_way) {
  std::promise<void> entered;
  std::promise<void> leave;
  auto may_leave = leave.get_future().share();
  std::atomic<bool> first = true;
  m_action.before = [&, may_leave] {
    if (first.exchange(false)) entered.set_value();
    may_leave.wait_for(20s);
  };
  m_reporter.add(1, m_action);
  entered.get_future().wait();
  auto removed = std::async(std::launch::async, [this] { m_reporter.remove(1); });
  EXPECT_EQ(removed.wait_for(50ms), std::future_status::timeout);
  leave.set_value();
  EXPECT_EQ(removed.wait_for(20s), std::future_status::ready);
  const std::size_t reports = m_action.reports();
  std::this_thread::sleep_for(60ms);
  EXPECT_EQ(m_action.reports(), reports) << "a report after remove()";
}

TEST_F(ProgressReporterTest, remove_of_an_unknown_job_is_harmless) { m_reporter.remove(9); }

TEST_F(ProgressReporterTest, trouble_is_told_once_and_ends_the_reports) {
  m_action.sys_errno = ECANCELED;
  m_reporter.add(5, m_action);
  auto future = m_trouble.get_future();
  ASSERT_EQ(future.wait_for(20s), std::future_status::ready);
  const auto [job, error] = future.get();
  EXPECT_EQ(job, 5U);
  EXPECT_EQ(error.sys_errno, ECANCELED);
  std::this_thread::sleep_for(60ms);
  EXPECT_EQ(m_action.reports(), 1U);
  m_reporter.remove(5);
}

TEST_F(ProgressReporterTest, a_stopped_job_does_not_silence_the_next) {
  m_action.sys_errno = ECANCELED;
  m_reporter.add(5, m_action);
  ASSERT_EQ(m_trouble.get_future().wait_for(20s), std::future_status::ready);
  std::this_thread::sleep_for(60ms);  // until nothing is due any more
  m_reporter.remove(5);
  ReportedAction next;
  m_reporter.add(6, next);
  EXPECT_FALSE(next.wait_for_reports(1).empty());
  m_reporter.remove(6);
}

TEST_F(ProgressReporterTest, destruction_with_jobs_does_not_wait_for_the_interval) {
  const auto begun = std::chrono::steady_clock::now();
  {
    ProgressReporter reporter(1h, [](JobId, const Error&) {});
    reporter.add(1, m_action);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s);
  EXPECT_EQ(m_action.reports(), 0U);
}

TEST_F(ProgressReporterTest, no_interval_does_not_storm_the_coordinator) {
  ProgressReporter reporter(0ms, [](JobId, const Error&) {});
  reporter.add(1, m_action);
  std::this_thread::sleep_for(200ms);
  reporter.remove(1);
  EXPECT_LT(m_action.reports(), 100U);
}

}  // namespace
}  // namespace lhsm::run
