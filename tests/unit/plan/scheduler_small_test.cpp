// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Actions that are carried out whole: order, batches, one per file, answers that do not fit.
#include <algorithm>

#include "unit/plan/plan_support.hpp"

namespace lhsm::plan {
namespace {

class SchedulerSmallTest : public SchedulerFixture {
 protected:
  void SetUp() override { ASSERT_TRUE(m_scheduler.add_worker(1, 4, "a")); }
};

TEST_F(SchedulerSmallTest, next_of_an_empty_scheduler_is_nothing) {
  expect_nothing();
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerSmallTest, next_without_workers_waits) {
  Scheduler none{SchedulerOptions{}};
  EXPECT_TRUE(none.add(item_of(ActionKind::archive, 1, 1)));
  EXPECT_FALSE(none.next().has_value());
  EXPECT_EQ(none.queued(), 1U);
}

TEST_F(SchedulerSmallTest, next_orders_by_priority) {
  add(ActionKind::archive, 1);
  add(ActionKind::remove, 2);
  add(ActionKind::restore, 3);
  ActionItem waited_for = item_of(ActionKind::restore, 4, 100);
  waited_for.list_flags = 4;  // HSM_REQ_BLOCKING
  EXPECT_TRUE(m_scheduler.add(waited_for));
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::none, 5, 101), EINVAL));
  add(ActionKind::archive, 6);
  add(ActionKind::restore, 7);
  EXPECT_EQ(run_all_whole(), (std::vector<std::uint32_t>{5, 4, 3, 7, 2, 1, 6}));
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerSmallTest, add_drops_duplicates) {
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::restore, 1, 10, 0)));
  EXPECT_FALSE(m_scheduler.add(item_of(ActionKind::restore, 1, 10, 0)));
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::restore, 2, 10, 1)));
  EXPECT_EQ(m_scheduler.unfinished(), 2U);
  EXPECT_EQ(m_scheduler.queued(), 2U);
}

TEST_F(SchedulerSmallTest, add_lets_one_action_of_a_file_run_at_a_time) {
  add(ActionKind::archive, 1);
  add(ActionKind::remove, 1);
  add(ActionKind::restore, 1);
  for (const ActionKind expected : {ActionKind::archive, ActionKind::remove, ActionKind::restore}) {
    const auto given = take<GiveJobs>();
    ASSERT_EQ(given.jobs.size(), 1U);
    EXPECT_EQ(m_scheduler.find(given.jobs.front())->item.kind, expected) << "in the order of arrival";
    expect_nothing();
    EXPECT_TRUE(m_scheduler.ended(given.worker, given.jobs.front(), 1us));
  }
  EXPECT_TRUE(m_scheduler.idle());
}

/// The file was released since its archive was asked for: the archive may wait in a read until the restore is done.
TEST_F(SchedulerSmallTest, add_lets_a_restore_pass_archives_of_its_file) {
  add(ActionKind::archive, 1);
  add(ActionKind::archive, 1);
  const auto archive = take<GiveJobs>();
  add(ActionKind::restore, 1);
  const auto restore = take<GiveJobs>();
  ASSERT_EQ(restore.jobs.size(), 1U);
  EXPECT_EQ(m_scheduler.find(restore.jobs.front())->item.kind, ActionKind::restore);
  expect_nothing();
  EXPECT_TRUE(m_scheduler.ended(restore.worker, restore.jobs.front(), 1us));
  expect_nothing();
  EXPECT_TRUE(m_scheduler.ended(archive.worker, archive.jobs.front(), 1us));
  const auto second = take<GiveJobs>();
  EXPECT_EQ(m_scheduler.find(second.jobs.front())->item.kind, ActionKind::archive);
}

TEST_F(SchedulerSmallTest, ended_returns_the_item_once) {
  ActionItem item = item_of(ActionKind::restore, 1, 77, 3);
  item.data = "of the user";
  EXPECT_TRUE(m_scheduler.add(item));
  const auto given = take<GiveJobs>();
  const JobId job = given.jobs.front();
  const auto final_item = m_scheduler.ended(given.worker, job, 1us);
  ASSERT_TRUE(final_item.has_value());
  EXPECT_EQ(final_item->cookie, 77U);
  EXPECT_EQ(final_item->data, "of the user");
  EXPECT_EQ(final_item->mdt_index, 3);
  EXPECT_EQ(final_item->fid, item.fid);
  EXPECT_FALSE(m_scheduler.ended(given.worker, job, 1us).has_value());
  EXPECT_EQ(m_scheduler.find(job), nullptr);
}

TEST_F(SchedulerSmallTest, ended_of_a_stranger_changes_nothing) {
  ASSERT_TRUE(m_scheduler.add_worker(2, 4, "b"));
  add(ActionKind::restore, 1);
  const auto given = take<GiveJobs>();
  const JobId job = given.jobs.front();
  const WorkerId other = given.worker == 1 ? 2 : 1;
  EXPECT_FALSE(m_scheduler.ended(other, job, 1us).has_value());
  EXPECT_FALSE(m_scheduler.ended(-1, job, 1us).has_value());
  EXPECT_FALSE(m_scheduler.ended(99, job, 1us).has_value());
  EXPECT_FALSE(m_scheduler.ended(given.worker, job + 1000, 1us).has_value());
  EXPECT_FALSE(m_scheduler.found_large(other, job, 1));
  EXPECT_FALSE(m_scheduler.begun(given.worker, job, striped(1)));
  EXPECT_FALSE(m_scheduler.extent_done(given.worker, job, {0, 1}, std::nullopt));
  EXPECT_FALSE(m_scheduler.trouble(given.worker, job, error_of(EIO)));
  m_scheduler.returned(other, {job});
  m_scheduler.returned(99, {job});
  expect_nothing();
  EXPECT_EQ(m_scheduler.queued(), 0U);
  EXPECT_TRUE(m_scheduler.ended(given.worker, job, 1us).has_value());
}

TEST_F(SchedulerSmallTest, ended_of_a_job_nobody_has_changes_nothing) {
  add(ActionKind::archive, 1);
  add(ActionKind::archive, 1);  // waits
  EXPECT_FALSE(m_scheduler.ended(-1, 1, 1us).has_value());
  EXPECT_FALSE(m_scheduler.ended(-1, 2, 1us).has_value()) << "no worker is called -1";
  EXPECT_EQ(m_scheduler.unfinished(), 2U);
}

TEST_F(SchedulerSmallTest, next_gives_batches_no_larger_than_allowed) {
  Scheduler scheduler{{.extent_bytes = k_mib, .max_batch = 5, .queue_ahead = 1s}};
  ASSERT_TRUE(scheduler.add_worker(0, 100, "a"));
  for (std::uint32_t oid = 1; oid <= 23; ++oid) EXPECT_TRUE(scheduler.add(item_of(ActionKind::archive, oid, oid)));
  std::vector<std::size_t> batches;
  while (auto command = scheduler.next()) batches.push_back(std::get<GiveJobs>(*command).jobs.size());
  EXPECT_EQ(batches, (std::vector<std::size_t>{5, 5, 5, 5, 3}));
}

TEST_F(SchedulerSmallTest, next_leaves_work_for_every_worker) {
  ASSERT_TRUE(m_scheduler.add_worker(2, 4, "a"));
  ASSERT_TRUE(m_scheduler.add_worker(3, 4, "b"));
  for (std::uint32_t oid = 1; oid <= 6; ++oid) add(ActionKind::restore, oid);
  std::map<WorkerId, std::size_t> of_worker;
  for (const Command& command : take_all()) of_worker[std::get<GiveJobs>(command).worker] += std::get<GiveJobs>(command).jobs.size();
  EXPECT_EQ(of_worker.size(), 3U);
  for (const auto& [worker, jobs] : of_worker) EXPECT_LE(jobs, 3U) << worker;
}

TEST_F(SchedulerSmallTest, next_takes_back_from_the_loaded_when_one_is_idle) {
  for (std::uint32_t oid = 1; oid <= 8; ++oid) add(ActionKind::archive, oid);
  std::vector<JobId> given;
  for (const Command& command : take_all())
    for (const JobId job : std::get<GiveJobs>(command).jobs) given.push_back(job);
  ASSERT_EQ(given.size(), 8U);
  ASSERT_TRUE(m_scheduler.add_worker(2, 4, "b"));
  const auto recall = take<TakeBack>();
  EXPECT_EQ(recall.worker, 1);
  EXPECT_EQ(recall.most, 2U);
  expect_nothing();
  m_scheduler.returned(1, {given[6], given[7]});
  EXPECT_EQ(m_scheduler.queued(), 2U);
  std::vector<JobId> again;
  while (auto command = m_scheduler.next()) {
    if (const auto* const jobs = std::get_if<GiveJobs>(&*command)) {
      EXPECT_EQ(jobs->worker, 2);
      again.insert(again.end(), jobs->jobs.begin(), jobs->jobs.end());
    }
  }
  EXPECT_EQ(again, (std::vector<JobId>{given[6], given[7]})) << "in their old order";
}

TEST_F(SchedulerSmallTest, returned_jobs_go_in_front_of_later_ones) {
  for (std::uint32_t oid = 1; oid <= 8; ++oid) add(ActionKind::archive, oid);
  std::vector<JobId> given;
  for (const Command& command : take_all())
    for (const JobId job : std::get<GiveJobs>(command).jobs) given.push_back(job);
  add(ActionKind::archive, 9);
  expect_nothing();
  m_scheduler.returned(1, {given[6], given[7]});
  std::vector<std::uint32_t> oids;
  for (const Command& command : take_all())
    for (const JobId job : std::get<GiveJobs>(command).jobs) oids.push_back(m_scheduler.find(job)->item.fid.oid);
  EXPECT_EQ(oids, (std::vector<std::uint32_t>{7, 8}));
}

TEST_F(SchedulerSmallTest, returned_twice_counts_once) {
  add(ActionKind::archive, 1);
  const auto given = take<GiveJobs>();
  m_scheduler.returned(given.worker, {given.jobs.front(), given.jobs.front()});
  m_scheduler.returned(given.worker, {given.jobs.front()});
  EXPECT_EQ(m_scheduler.queued(), 1U);
  EXPECT_EQ(run_all_whole(), (std::vector<std::uint32_t>{1}));
}

}  // namespace
}  // namespace lhsm::plan
