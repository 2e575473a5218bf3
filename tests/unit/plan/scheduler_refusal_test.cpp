// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What needs no slot: refusals, cancels that come early, what is sent again, keep-alive.
#include <algorithm>

#include "unit/plan/plan_support.hpp"

namespace lhsm::plan {
namespace {

class SchedulerRefusalTest : public SchedulerFixture {
 protected:
  SchedulerRefusalTest() : SchedulerFixture({.extent_bytes = k_mib, .max_batch = 4, .queue_ahead = 20ms}) {}
  void SetUp() override { ASSERT_TRUE(m_scheduler.add_worker(0, 1, "a")); }

  /// Give the worker all that it takes, and one more that is left queued. Returns what was given.
  std::vector<JobId> fill() {
    std::vector<JobId> given;
    for (std::uint32_t oid = 1000;; ++oid) {
      add(ActionKind::archive, oid);
      const auto command = m_scheduler.next();
      if (!command) return given;
      const auto jobs = std::get<GiveJobs>(*command).jobs;
      given.insert(given.end(), jobs.begin(), jobs.end());
    }
  }
};

TEST_F(SchedulerRefusalTest, refusals_need_no_room) {
  fill();
  for (std::uint32_t oid = 1; oid <= 6; ++oid)
    EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, oid, ++m_last_cookie), EINVAL));
  const std::size_t queued = m_scheduler.queued();
  EXPECT_EQ(take<GiveJobs>().jobs.size(), 4U) << "in batches";
  EXPECT_EQ(take<GiveJobs>().jobs.size(), 2U);
  EXPECT_EQ(m_scheduler.queued(), queued - 6);
  expect_nothing();
}

TEST_F(SchedulerRefusalTest, refusals_are_no_load) {
  for (std::uint32_t oid = 1; oid <= 50; ++oid)
    EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, oid, ++m_last_cookie), EINVAL));
  const auto refusals = take_all();
  EXPECT_GE(refusals.size(), 50U / 4);
  EXPECT_GE(fill().size(), 1U) << "the worker has room all the same";
  for (const Command& command : refusals)
    for (const JobId job : std::get<GiveJobs>(command).jobs) EXPECT_TRUE(m_scheduler.ended(0, job, 1s).has_value());
  expect_nothing();  // their ends made no room
}

TEST_F(SchedulerRefusalTest, refusals_go_to_all_workers_in_turn) {
  ASSERT_TRUE(m_scheduler.add_worker(1, 1, "b"));
  for (std::uint32_t oid = 1; oid <= 8; ++oid)
    EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, oid, ++m_last_cookie), EINVAL));
  EXPECT_NE(take<GiveJobs>().worker, take<GiveJobs>().worker);
}

TEST_F(SchedulerRefusalTest, cancel_of_what_is_queued_needs_no_room) {
  fill();
  const auto cookie = add(ActionKind::restore, 1);
  expect_nothing();
  EXPECT_EQ(m_scheduler.cancel(0, cookie), CancelEffect::will_be_ended);
  const auto refused = take<GiveJobs>();
  ASSERT_EQ(refused.jobs.size(), 1U);
  EXPECT_EQ(m_scheduler.find(refused.jobs.front())->reject_errno, ECANCELED);
  EXPECT_EQ(m_scheduler.cancel(0, cookie), CancelEffect::will_be_ended) << "told twice";
  expect_nothing();
  EXPECT_TRUE(m_scheduler.ended(refused.worker, refused.jobs.front(), 1us).has_value());
  EXPECT_FALSE(m_scheduler.ended(refused.worker, refused.jobs.front(), 1us).has_value()) << "once";
}

TEST_F(SchedulerRefusalTest, cancel_that_comes_before_its_target_is_remembered) {
  EXPECT_EQ(m_scheduler.cancel(0, 50), CancelEffect::unknown_cookie);
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, 1, 50, 1))) << "the same cookie of another MDT";
  EXPECT_EQ(m_scheduler.find(take<GiveJobs>().jobs.front())->reject_errno, 0);
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, 2, 50, 0)));
  const auto refused = take<GiveJobs>();
  EXPECT_EQ(m_scheduler.find(refused.jobs.front())->reject_errno, ECANCELED);
  EXPECT_TRUE(m_scheduler.ended(0, refused.jobs.front(), 1us).has_value());
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, 2, 50, 0)));
  EXPECT_EQ(m_scheduler.find(take<GiveJobs>().jobs.front())->reject_errno, 0) << "remembered for one only";
}

TEST_F(SchedulerRefusalTest, early_cancel_is_forgotten_after_two_rounds) {
  m_scheduler.cancel(0, 50);
  EXPECT_TRUE(m_scheduler.keep_alive_round().empty());
  m_scheduler.cancel(0, 51);
  EXPECT_TRUE(m_scheduler.keep_alive_round().empty());
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, 1, 50)));
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, 2, 51)));
  EXPECT_EQ(take_reject_errnos(), (std::map<std::uint64_t, int>{{50, 0}, {51, ECANCELED}}));
}

TEST_F(SchedulerRefusalTest, early_cancels_are_bounded) {
  for (std::uint64_t cookie = 1; cookie <= 100'000; ++cookie) m_scheduler.cancel(0, cookie);
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, 1, 1)));
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, 2, 100'000)));
  EXPECT_EQ(take_reject_errnos(), (std::map<std::uint64_t, int>{{1, 0}, {100'000, ECANCELED}}));
}

TEST_F(SchedulerRefusalTest, begin_again_wants_that_it_was_sent_again) {
  add(ActionKind::restore, 1);
  const auto given = take<GiveJobs>();
  const JobId job = given.jobs.front();
  EXPECT_FALSE(m_scheduler.begin_again(0, job, 1us));
  EXPECT_FALSE(m_scheduler.add(item_of(ActionKind::archive, 1, m_last_cookie))) << "something else of that cookie";
  EXPECT_FALSE(m_scheduler.begin_again(0, job, 1us));
  EXPECT_FALSE(m_scheduler.add(item_of(ActionKind::restore, 1, m_last_cookie)));
  EXPECT_FALSE(m_scheduler.begin_again(1, job, 1us)) << "not that worker's";
  EXPECT_TRUE(m_scheduler.begin_again(0, job, 1us));
  EXPECT_EQ(m_scheduler.queued(), 1U);
  EXPECT_FALSE(m_scheduler.ended(0, job, 1us).has_value());
  EXPECT_EQ(take<GiveJobs>().jobs.front(), job);
  EXPECT_FALSE(m_scheduler.begin_again(0, job, 1us)) << "once";
  EXPECT_TRUE(m_scheduler.ended(0, job, 1us).has_value());
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerRefusalTest, begin_again_of_a_striped_file) {
  const GiveBegin begin = add_large(ActionKind::restore, 1, 3 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(3 * k_mib)));
  const auto extent = take<GiveExtent>();
  EXPECT_FALSE(m_scheduler.add(item_of(ActionKind::restore, 1, m_last_cookie)));
  EXPECT_FALSE(m_scheduler.begin_again(0, begin.job, 1us)) << "it is not ended yet";
  EXPECT_TRUE(m_scheduler.extent_done(0, extent.job, extent.extent, error_of(ENOENT)));
  take<GiveFinish>();
  EXPECT_TRUE(m_scheduler.begin_again(0, begin.job, 1us));
  EXPECT_EQ(take<GiveJobs>().jobs.front(), begin.job);
}

/// The coordinator that sent it again knows it, and waits for an end.
TEST_F(SchedulerRefusalTest, begin_again_of_what_is_not_to_be_carried_out_refuses_it_anew) {
  const auto expect_refused_anew = [this](const GiveJobs& given, int sys_errno) {
    EXPECT_FALSE(m_scheduler.add(item_of(ActionKind::restore, 1, m_last_cookie)));
    EXPECT_TRUE(m_scheduler.begin_again(given.worker, given.jobs.front(), 1us));
    const auto refused = take<GiveJobs>();
    EXPECT_EQ(refused.jobs, given.jobs);
    EXPECT_EQ(m_scheduler.find(refused.jobs.front())->reject_errno, sys_errno);
    EXPECT_FALSE(m_scheduler.begin_again(refused.worker, refused.jobs.front(), 1us)) << "once";
    EXPECT_TRUE(m_scheduler.ended(refused.worker, refused.jobs.front(), 1us).has_value());
    EXPECT_TRUE(m_scheduler.idle());
  };
  m_scheduler.cancel(0, add(ActionKind::restore, 1));
  expect_refused_anew(take<GiveJobs>(), EAGAIN);  // ECANCELED would count as a success
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::restore, 1, ++m_last_cookie), EXDEV));
  expect_refused_anew(take<GiveJobs>(), EXDEV);
  add(ActionKind::restore, 1);
  const auto running = take<GiveJobs>();
  m_scheduler.drain(EINTR);
  take<TakeBack>();
  expect_refused_anew(running, EINTR);
}

TEST_F(SchedulerRefusalTest, begin_again_is_of_what_was_sent_since_the_worker_got_it) {
  fill();
  const auto cookie = add(ActionKind::restore, 1);
  EXPECT_FALSE(m_scheduler.add(item_of(ActionKind::restore, 1, cookie))) << "while it is queued";
  ASSERT_TRUE(m_scheduler.add_worker(1, 1, "b"));
  const auto given = take<GiveJobs>();
  EXPECT_EQ(m_scheduler.find(given.jobs.front())->item.cookie, cookie);
  EXPECT_FALSE(m_scheduler.begin_again(1, given.jobs.front(), 1us)) << "the coordinator knew it when it was begun";
}

TEST_F(SchedulerRefusalTest, forgotten_while_it_waits_it_is_final_without_an_end) {
  fill();
  add(ActionKind::restore, 1);
  const std::size_t unfinished = m_scheduler.unfinished();
  const auto behind = add(ActionKind::remove, 1);
  std::map<std::uint64_t, JobId> ids;
  for (int round = 0; round < Scheduler::k_keep_alive_rounds; ++round)
    for (const JobId job : m_scheduler.keep_alive_round()) ids[m_scheduler.find(job)->item.cookie] = job;
  EXPECT_TRUE(m_scheduler.forget(ids.at(behind)).has_value());
  EXPECT_EQ(m_scheduler.unfinished(), unfinished);
  const auto gone = m_scheduler.forget(ids.at(behind - 1));
  ASSERT_TRUE(gone.has_value());
  EXPECT_EQ(gone->fid, fid_of(1));
  EXPECT_FALSE(m_scheduler.forget(ids.at(behind - 1)).has_value()) << "once";
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::restore, 1, behind - 1))) << "sent again it is a new one";
  for (const Command& command : take_all()) EXPECT_FALSE(std::holds_alternative<GiveFinish>(command));
}

TEST_F(SchedulerRefusalTest, forgotten_is_nothing_that_was_sent_again_or_that_a_worker_has) {
  add(ActionKind::restore, 1);
  const auto given = take<GiveJobs>();
  EXPECT_FALSE(m_scheduler.forget(given.jobs.front()).has_value()) << "its begin will tell";
  EXPECT_TRUE(m_scheduler.found_large(0, given.jobs.front(), 3 * k_mib));
  EXPECT_FALSE(m_scheduler.add(item_of(ActionKind::restore, 1, m_last_cookie)));
  EXPECT_FALSE(m_scheduler.forget(given.jobs.front()).has_value()) << "the answer was given before";
  const auto begin = take<GiveBegin>();
  EXPECT_EQ(begin.job, given.jobs.front());
  EXPECT_TRUE(m_scheduler.begun(0, begin.job, striped(3 * k_mib)));
  EXPECT_FALSE(m_scheduler.forget(begin.job).has_value());
}

TEST_F(SchedulerRefusalTest, forgotten_large_file_is_not_begun) {
  add(ActionKind::restore, 1);
  const auto given = take<GiveJobs>();
  EXPECT_TRUE(m_scheduler.found_large(0, given.jobs.front(), 3 * k_mib));
  EXPECT_TRUE(m_scheduler.forget(given.jobs.front()).has_value());
  expect_nothing();
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerRefusalTest, keep_alive_names_what_waits_each_interval) {
  const auto given = fill();
  const auto waiting = add(ActionKind::remove, 1000);  // behind the archive of the same file
  static_cast<void>(waiting);
  for (int interval = 0; interval < 3; ++interval) {
    for (int round = 1; round < Scheduler::k_keep_alive_rounds; ++round) EXPECT_TRUE(m_scheduler.keep_alive_round().empty());
    const auto due = m_scheduler.keep_alive_round();
    EXPECT_EQ(due.size(), given.size() + 2) << "given, queued and waiting";
    EXPECT_TRUE(std::is_sorted(due.begin(), due.end()));
  }
}

TEST_F(SchedulerRefusalTest, keep_alive_names_nothing_that_reports_itself_or_is_being_ended) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 3 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(3 * k_mib)));
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, 2, 500), EINVAL));
  for (int round = 0; round < 2 * Scheduler::k_keep_alive_rounds; ++round) EXPECT_TRUE(m_scheduler.keep_alive_round().empty());
}

}  // namespace
}  // namespace lhsm::plan
