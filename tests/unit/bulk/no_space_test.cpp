// SPDX-License-Identifier: LGPL-2.1-or-later
// A job whose target is full.
#include <algorithm>

#include "job_fixture.hpp"

namespace lhsm::bulk {
namespace {

TEST_F(JobTest, tries_one_file_at_a_time_until_there_is_space) {
  std::vector<Fid> fids;
  for (int i = 0; i < 40; ++i) fids.push_back(new_file());
  make_manifest(fids);
  m_run_options.job.failures.space_delay = 1ms;
  open(ItemAction::archive);
  Job& job = m_run->job();
  const Error full{ErrorKind::no_space, ENOSPC, "pwrite", "object"};

  auto rows = job.next_batch();
  ASSERT_EQ(rows.size(), 40U);
  EXPECT_FALSE(job.progress().lacks_space);
  for (const Row& row : rows) job.failed(row, full);
  EXPECT_TRUE(job.progress().lacks_space);
  for (int i = 0; i < 2; ++i) {
    rows = job.next_batch();  // waits for the end of the pause
    ASSERT_EQ(rows.size(), 1U);
    job.failed(rows.front(), full);
  }
  rows = job.next_batch();
  ASSERT_EQ(rows.size(), 1U);
  job.settled(rows.front(), ItemResult::done, {});
  EXPECT_FALSE(job.progress().lacks_space);
  std::size_t done = 1;
  std::size_t largest = 0;
  while (!job.progress().finished) {
    rows = job.next_batch();
    largest = std::max(largest, rows.size());
    for (const Row& row : rows) job.settled(row, ItemResult::done, {});
    done += rows.size();
  }
  EXPECT_EQ(done, 40U);
  EXPECT_GT(largest, 1U);
  EXPECT_EQ(end().census.with(ItemResult::done), 40U);
}

TEST_F(JobTest, what_never_fits_fails_in_the_end) {
  const Fid large = new_file();
  std::vector<Fid> fids{large};
  for (int i = 0; i < 300; ++i) fids.push_back(new_file());
  make_manifest(fids);
  m_run_options.job.failures.space_delay = 1ms;
  m_run_options.job.first_delay = 0ms;
  m_run_options.job.max_inflight = 1;
  open(ItemAction::archive);
  Job& job = m_run->job();
  const Error full{ErrorKind::no_space, ENOSPC, "pwrite", "object"};
  for (auto rows = job.next_batch(); !rows.empty(); rows = job.next_batch()) {
    ASSERT_EQ(rows.size(), 1U);
    if (rows.front().fid == large)
      job.failed(rows.front(), full);
    else
      job.settled(rows.front(), ItemResult::done, {});
  }
  const JobReport report = end();
  EXPECT_TRUE(report.progress.finished) << report.progress.stopped_because;
  EXPECT_EQ(report.census.with(ItemResult::done), 300U);
  EXPECT_EQ(report.census.with(ItemResult::failed), 1U);
  EXPECT_EQ(items()[0].outcome.sys_errno, ENOSPC);
}

TEST_F(JobTest, want_of_space_costs_no_attempt_over_several_runs) {
  make_manifest({new_file()});
  m_run_options.job.failures.space_delay = 1ms;
  m_run_options.job.first_delay = 1h;
  for (int run = 0; run < 4; ++run) {
    open(ItemAction::archive);
    const auto rows = m_run->job().next_batch();
    ASSERT_EQ(rows.size(), 1U);
    m_run->job().failed(rows.front(), {ErrorKind::no_space, ENOSPC, "pwrite", "object"});
    EXPECT_EQ(end().census.left(), 1U);
  }
  EXPECT_EQ(items()[0].outcome.attempts, 0U);
  EXPECT_EQ(items()[0].outcome.sys_errno, ENOSPC);
  open(ItemAction::archive);
  const auto rows = m_run->job().next_batch();
  ASSERT_EQ(rows.size(), 1U);
  m_run->job().failed(rows.front(), {ErrorKind::io, EIO, "pwrite", "object"});
  EXPECT_EQ(m_run->job().progress().retrying, 1U);
  EXPECT_EQ(end().census.with(ItemResult::failed), 0U);
  EXPECT_EQ(items()[0].outcome.attempts, 1U);
}

}  // namespace
}  // namespace lhsm::bulk
