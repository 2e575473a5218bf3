// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs that have to be over at some time.
#include <thread>

#include "job_fixture.hpp"

namespace lhsm::bulk {
namespace {

constexpr std::uint64_t k_telling = DeadlineWatch::k_telling_size;

TEST_F(JobTest, asks_for_nothing_once_the_deadline_has_come) {
  std::vector<Fid> fids;
  for (int i = 0; i < 60; ++i) fids.push_back(new_file());
  make_manifest(fids);
  m_run_options.job.deadline.stop_at = m_clock.now();
  const JobReport late = do_job(ItemAction::archive);
  EXPECT_FALSE(late.progress.finished);
  EXPECT_EQ(late.progress.stopped_because, "the deadline is near");
  EXPECT_EQ(late.census.left(), 60U);
  EXPECT_EQ(copies(), 0);
  m_run_options.job.deadline.stop_at.reset();
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::done), 60U);
}

TEST_F(JobTest, stops_at_the_deadline_and_the_next_run_goes_on) {
  std::vector<Fid> fids;
  for (int i = 0; i < 300; ++i) fids.push_back(new_released("object " + std::to_string(i)));
  make_manifest(fids);
  const TimePoint stop_at = m_clock.now() + 1s;
  m_run_options.job.deadline.stop_at = stop_at;
  m_run_options.job.max_inflight = 20;
  // Some end at once, the others only when the deadline has come.
  std::atomic<int> begun = 0;
  m_lustre.before(Call::copy_start, [&](const Fid&) {
    if (++begun > 3) std::this_thread::sleep_until(stop_at);
    return 0;
  });
  const JobReport first = do_job(ItemAction::restore);
  EXPECT_EQ(first.progress.stopped_because, "the deadline is near");
  EXPECT_GE(first.census.left(), 300U - 3U - 20U) << "what is in flight may end";
  EXPECT_EQ(first.census.with(ItemResult::done) + first.census.left(), 300U);
  EXPECT_GE(m_clock.now(), stop_at);
  m_run_options.job.deadline.stop_at.reset();
  EXPECT_EQ(do_job(ItemAction::restore).census.with(ItemResult::done), 300U);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(m_lustre.content(fids[static_cast<std::size_t>(i)]), "object " + std::to_string(i));
  EXPECT_EQ(copies(), 300) << "none was copied twice";
}

TEST_F(JobTest, leaves_to_the_next_run_what_would_not_end_in_time) {
  // As long as nothing is measured all are asked for: one request's worth here.
  std::vector<Fid> fids;
  for (int i = 0; i < 51; ++i) fids.push_back(new_released("small"));
  const Fid large = new_released("large");
  fids.push_back(large);
  for (int i = 0; i < 10; ++i) fids.push_back(new_released("small"));
  make_manifest(fids, [large](const Fid& fid) { return fid == large ? std::uint64_t{1} << 60U : k_telling; });
  m_run_options.job.max_inflight = 51;
  m_run_options.asker.threads = 1;
  m_run_options.job.deadline.stop_at = m_clock.now() + 1h;
  const JobReport first = do_job(ItemAction::restore);
  EXPECT_EQ(first.progress.stopped_because, "what is left would not end before the deadline");
  EXPECT_EQ(first.progress.left_for_later, 1U);
  EXPECT_EQ(first.census.with(ItemResult::done), 61U) << "the others are not held up by it";
  EXPECT_EQ(first.census.left(), 1U);
  EXPECT_EQ(do_job(ItemAction::restore).census.with(ItemResult::done), 62U) << "a new run has measured nothing yet, and begins with it";
}

TEST_F(JobTest, small_files_do_not_make_a_large_one_late) {
  std::vector<Fid> fids;
  for (int i = 0; i < 20; ++i) fids.push_back(new_released("small"));
  const Fid large = new_released("large");
  fids.push_back(large);
  make_manifest(fids, [large](const Fid& fid) { return fid == large ? std::uint64_t{1} << 60U : 5U; });
  m_run_options.job.max_inflight = 1;
  m_run_options.job.deadline.stop_at = m_clock.now() + 1h;
  const JobReport report = do_job(ItemAction::restore);
  EXPECT_TRUE(report.progress.finished) << report.progress.stopped_because;
  EXPECT_EQ(report.census.with(ItemResult::done), 21U);
}

TEST_F(JobTest, what_was_late_at_first_is_judged_anew_when_more_is_measured) {
  const std::vector<Fid> fids{new_released("slow"), new_released("large"), new_released("fast")};
  // Late by the first one's 16 MiB a second; not by what the last one does in less than 400 ms.
  make_manifest(fids, [&](const Fid& fid) { return fid == fids[1] ? std::uint64_t{1} << 37U : k_telling; });
  m_run_options.job.max_inflight = 1;
  m_run_options.job.deadline.stop_at = m_clock.now() + 1h;
  std::mutex mutex;
  std::vector<Fid> begun;
  m_lustre.before(Call::copy_start, [&](const Fid& fid) {
    const std::lock_guard lock(mutex);
    begun.push_back(fid);
    if (fid == fids[0]) std::this_thread::sleep_for(1s);
    return 0;
  });
  const JobReport report = do_job(ItemAction::restore);
  EXPECT_TRUE(report.progress.finished) << report.progress.stopped_because;
  EXPECT_EQ(report.progress.left_for_later, 0U);
  EXPECT_EQ(begun, (std::vector<Fid>{fids[0], fids[2], fids[1]}));
}

TEST_F(JobTest, what_an_earlier_run_copied_is_not_counted_as_still_to_be_copied) {
  // As long as nothing is measured all are asked for: one request's worth here.
  constexpr std::uint64_t k_size = std::uint64_t{1} << 60U;
  std::vector<Fid> fids;
  for (int i = 0; i < 51; ++i) fids.push_back(new_file("small"));
  const Fid nearly_done = new_file("large");
  const Fid unbegun = new_file("large");
  fids.insert(fids.end(), {nearly_done, unbegun});
  for (int i = 0; i < 10; ++i) fids.push_back(new_file("small"));
  make_manifest(fids, [&](const Fid& fid) { return fid == nearly_done || fid == unbegun ? k_size : k_telling; });
  {
    auto lock = store::JobLock::acquire(m_run_options.manifest);
    ASSERT_TRUE(lock);
    auto job = store::open_job(*lock, [] {});
    ASSERT_TRUE(job);
    for (const Extent extent : {Extent{0, k_size / 2}, Extent{k_size / 2, k_size / 2 - 5}})
      ASSERT_TRUE(job->journal->append(store::ExtentRecord{51, extent, {1, "gone 1"}, "leaves"}));
    ASSERT_TRUE(job->journal->close());
  }
  m_run_options.job.max_inflight = 51;
  m_run_options.asker.threads = 1;
  m_run_options.job.deadline.stop_at = m_clock.now() + 1h;
  const JobReport first = do_job(ItemAction::archive);
  EXPECT_EQ(first.progress.left_for_later, 1U) << "the other one";
  EXPECT_EQ(first.census.with(ItemResult::done), 62U);
  EXPECT_EQ(items()[51].outcome.result, ItemResult::done);
  EXPECT_EQ(items()[52].outcome.result, ItemResult::pending);
}

}  // namespace
}  // namespace lhsm::bulk
