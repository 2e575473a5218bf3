// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Cancelling and draining, in every state that an action can be in.
#include <algorithm>

#include "unit/plan/plan_support.hpp"

namespace lhsm::plan {
namespace {

class SchedulerStopTest : public SchedulerFixture {
 protected:
  SchedulerStopTest() : SchedulerFixture({.extent_bytes = k_mib, .max_batch = 64, .queue_ahead = 20ms}) {}
  void SetUp() override { ASSERT_TRUE(m_scheduler.add_worker(0, 2, "a")); }

  /// The one job of the next batch is refused with this errno.
  GiveJobs expect_refused(int sys_errno) {
    auto given = take<GiveJobs>();
    EXPECT_EQ(given.jobs.size(), 1U);
    for (const JobId job : given.jobs) EXPECT_EQ(m_scheduler.find(job)->reject_errno, sys_errno);
    return given;
  }
  void end(const GiveJobs& given) {
    for (const JobId job : given.jobs) EXPECT_TRUE(m_scheduler.ended(given.worker, job, 1us).has_value());
  }
};

TEST_F(SchedulerStopTest, cancel_of_an_unknown_cookie) {
  const auto cookie = add(ActionKind::archive, 1);
  EXPECT_EQ(m_scheduler.cancel(0, cookie + 1), CancelEffect::unknown_cookie);
  EXPECT_EQ(m_scheduler.cancel(1, cookie), CancelEffect::unknown_cookie) << "another MDT's";
  EXPECT_EQ(take_reject_errnos(), (std::map<std::uint64_t, int>{{cookie, 0}}));
}

TEST_F(SchedulerStopTest, cancel_of_a_ready_job_refuses_it) {
  const auto cookie = add(ActionKind::archive, 1);
  EXPECT_EQ(m_scheduler.cancel(0, cookie), CancelEffect::will_be_ended);
  EXPECT_EQ(m_scheduler.cancel(0, cookie), CancelEffect::will_be_ended);
  EXPECT_EQ(m_scheduler.queued(), 1U);
  end(expect_refused(ECANCELED));
  expect_nothing();
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerStopTest, cancel_of_a_waiting_job_ends_it_before_its_turn) {
  add(ActionKind::archive, 1);
  const auto running = take<GiveJobs>();
  const auto cookie = add(ActionKind::remove, 1);
  add(ActionKind::restore, 1);
  EXPECT_EQ(m_scheduler.cancel(0, cookie), CancelEffect::will_be_ended);
  const auto refused = expect_refused(ECANCELED);
  EXPECT_EQ(m_scheduler.find(refused.jobs.front())->item.kind, ActionKind::remove);
  end(refused);
  expect_nothing();  // the restore still waits for the archive
  end(running);
  const auto last = take<GiveJobs>();
  EXPECT_EQ(m_scheduler.find(last.jobs.front())->item.kind, ActionKind::restore);
}

TEST_F(SchedulerStopTest, cancel_of_an_assigned_job_tells_its_worker) {
  const auto cookie = add(ActionKind::archive, 1);
  const auto given = take<GiveJobs>();
  EXPECT_EQ(m_scheduler.cancel(0, cookie), CancelEffect::will_be_ended);
  const auto tell = take<TellCancel>();
  EXPECT_EQ(tell.worker, given.worker);
  EXPECT_EQ(tell.job, given.jobs.front());
  EXPECT_EQ(tell.error.kind, ErrorKind::cancelled);
  end(given);
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerStopTest, cancel_of_a_job_that_comes_back_is_not_forgotten) {
  const auto cookie = add(ActionKind::archive, 1);
  const auto given = take<GiveJobs>();
  // The worker gave it back before it heard of the cancel.
  EXPECT_EQ(m_scheduler.cancel(0, cookie), CancelEffect::will_be_ended);
  take<TellCancel>();
  m_scheduler.returned(given.worker, given.jobs);
  end(expect_refused(ECANCELED));
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerStopTest, cancel_of_a_job_that_turns_out_large_is_not_forgotten) {
  const auto cookie = add(ActionKind::archive, 1);
  const auto given = take<GiveJobs>();
  EXPECT_EQ(m_scheduler.cancel(0, cookie), CancelEffect::will_be_ended);
  take<TellCancel>();
  EXPECT_TRUE(m_scheduler.found_large(given.worker, given.jobs.front(), 5 * k_mib));
  end(expect_refused(ECANCELED));
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerStopTest, cancel_of_a_large_job_refuses_it) {
  const GiveBegin first = add_large(ActionKind::archive, 1, 90 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(first.worker, first.job, striped(90 * k_mib)));
  EXPECT_EQ(take_all().size(), 2U);
  const auto cookie = add(ActionKind::archive, 2);
  const auto given = take<GiveJobs>();
  EXPECT_TRUE(m_scheduler.found_large(given.worker, given.jobs.front(), 50 * k_mib));
  expect_nothing();
  EXPECT_EQ(m_scheduler.find(given.jobs.front())->state, JobState::large);
  EXPECT_EQ(m_scheduler.cancel(0, cookie), CancelEffect::will_be_ended);
  end(expect_refused(ECANCELED));
}

TEST_F(SchedulerStopTest, cancel_while_beginning_copies_nothing) {
  const GiveBegin begin = add_large(ActionKind::restore, 1, 90 * k_mib);
  EXPECT_EQ(m_scheduler.cancel(0, m_last_cookie), CancelEffect::will_be_ended);
  EXPECT_EQ(take<TellCancel>().job, begin.job) << "it may wait for a slot there";
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(90 * k_mib)));
  const auto finish = take<GiveFinish>();
  ASSERT_TRUE(finish.error.has_value());
  EXPECT_EQ(finish.error->kind, ErrorKind::cancelled);
  EXPECT_EQ(finish.error->sys_errno, ECANCELED);
}

TEST_F(SchedulerStopTest, cancel_while_copying_stops_the_helpers) {
  const GiveBegin begin = add_large(ActionKind::restore, 1, 90 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(90 * k_mib)));
  const auto a = take<GiveExtent>();
  const auto b = take<GiveExtent>();
  EXPECT_EQ(m_scheduler.cancel(0, m_last_cookie), CancelEffect::will_be_ended);
  EXPECT_EQ(take<TellCancel>().worker, 0);
  expect_nothing();
  EXPECT_TRUE(m_scheduler.extent_done(0, a.job, a.extent, std::nullopt));
  EXPECT_TRUE(m_scheduler.extent_done(0, b.job, b.extent, error_of(ECANCELED)));
  EXPECT_EQ(take<GiveFinish>().error->kind, ErrorKind::cancelled);
  EXPECT_EQ(m_scheduler.cancel(0, m_last_cookie), CancelEffect::too_late);
  EXPECT_TRUE(m_scheduler.ended(0, begin.job, 1us).has_value());
  EXPECT_EQ(m_scheduler.cancel(0, m_last_cookie), CancelEffect::unknown_cookie);
}

TEST_F(SchedulerStopTest, drain_refuses_what_is_queued_and_takes_back_the_rest) {
  add(ActionKind::archive, 1);
  const auto running = take<GiveJobs>();
  add(ActionKind::remove, 1);                                         // waits
  for (std::uint32_t oid = 2; oid <= 9; ++oid) add(ActionKind::archive, oid);  // some are ready
  std::vector<JobId> given;
  for (const Command& command : take_all())
    for (const JobId job : std::get<GiveJobs>(command).jobs) given.push_back(job);
  m_scheduler.drain(EAGAIN);
  const auto recall = take<TakeBack>();
  EXPECT_EQ(recall.worker, 0);
  EXPECT_EQ(recall.most, ~std::uint32_t{0});
  m_scheduler.returned(0, given);
  EXPECT_TRUE(m_scheduler.add(item_of(ActionKind::archive, 50, 1000))) << "comes in late, and is refused";
  std::size_t refused = 0;
  while (auto command = m_scheduler.next()) {
    const auto* const jobs = std::get_if<GiveJobs>(&*command);
    ASSERT_NE(jobs, nullptr);
    for (const JobId job : jobs->jobs) {
      EXPECT_EQ(m_scheduler.find(job)->reject_errno, EAGAIN);
      EXPECT_TRUE(m_scheduler.ended(0, job, 1us).has_value());
      ++refused;
    }
  }
  EXPECT_EQ(refused, 10U);
  EXPECT_FALSE(m_scheduler.idle());
  end(running);
  EXPECT_TRUE(m_scheduler.idle());
  EXPECT_EQ(m_scheduler.queued(), 0U);
}

TEST_F(SchedulerStopTest, drain_lets_a_striped_file_finish) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 3 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(3 * k_mib)));
  auto a = take<GiveExtent>();
  auto b = take<GiveExtent>();
  m_scheduler.drain(EAGAIN);
  expect_nothing();
  EXPECT_TRUE(m_scheduler.extent_done(0, a.job, a.extent, std::nullopt));
  const auto c = take<GiveExtent>();
  EXPECT_TRUE(m_scheduler.extent_done(0, b.job, b.extent, std::nullopt));
  EXPECT_TRUE(m_scheduler.extent_done(0, c.job, c.extent, std::nullopt));
  EXPECT_FALSE(take<GiveFinish>().error.has_value());
}

TEST_F(SchedulerStopTest, drain_lets_a_file_that_is_being_begun_finish) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, k_mib);
  m_scheduler.drain(EAGAIN);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(k_mib)));
  const auto extent = take<GiveExtent>();
  EXPECT_TRUE(m_scheduler.extent_done(0, extent.job, extent.extent, std::nullopt));
  EXPECT_FALSE(take<GiveFinish>().error.has_value());
}

TEST_F(SchedulerStopTest, drain_refuses_what_turns_out_large) {
  add(ActionKind::archive, 1);
  const auto given = take<GiveJobs>();
  m_scheduler.drain(EAGAIN);
  take<TakeBack>();
  EXPECT_TRUE(m_scheduler.found_large(0, given.jobs.front(), 90 * k_mib));
  end(expect_refused(EAGAIN));
}

TEST_F(SchedulerStopTest, drain_refuses_the_next_of_a_lane) {
  add(ActionKind::archive, 1);
  const auto first = take<GiveJobs>();
  add(ActionKind::remove, 1);
  m_scheduler.drain(EAGAIN);
  take<TakeBack>();
  end(expect_refused(EAGAIN));
  end(first);
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerStopTest, stop_running_stops_all_that_runs) {
  const GiveBegin copying = add_large(ActionKind::archive, 1, 3 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(copying.worker, copying.job, striped(3 * k_mib)));
  const auto a = take<GiveExtent>();
  const auto b = take<GiveExtent>();
  add(ActionKind::restore, 2);
  const auto whole = take<GiveJobs>();
  m_scheduler.drain(EAGAIN);
  take<TakeBack>();
  m_scheduler.stop_running(error_of(EAGAIN));
  std::vector<JobId> told;
  for (int i = 0; i < 2; ++i) told.push_back(take<TellCancel>().job);
  EXPECT_EQ(std::count(told.begin(), told.end(), copying.job), 1);
  EXPECT_EQ(std::count(told.begin(), told.end(), whole.jobs.front()), 1);
  expect_nothing();
  EXPECT_TRUE(m_scheduler.extent_done(0, a.job, a.extent, std::nullopt));
  EXPECT_TRUE(m_scheduler.extent_done(0, b.job, b.extent, error_of(EAGAIN)));
  EXPECT_EQ(take<GiveFinish>().error->sys_errno, EAGAIN);
  EXPECT_TRUE(m_scheduler.ended(0, copying.job, 1us).has_value());
  end(whole);
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerStopTest, stop_running_leaves_a_cancel_a_cancel) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 3 * k_mib);
  EXPECT_EQ(m_scheduler.cancel(0, m_last_cookie), CancelEffect::will_be_ended);
  take<TellCancel>();
  m_scheduler.drain(EAGAIN);
  m_scheduler.stop_running(error_of(EAGAIN));
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(3 * k_mib)));
  EXPECT_EQ(take<GiveFinish>().error->kind, ErrorKind::cancelled);
}

TEST_F(SchedulerStopTest, stop_running_while_beginning_copies_nothing) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 3 * k_mib);
  m_scheduler.drain(EAGAIN);
  m_scheduler.stop_running(error_of(EAGAIN));
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(3 * k_mib)));
  EXPECT_EQ(take<GiveFinish>().error->sys_errno, EAGAIN);
}

}  // namespace
}  // namespace lhsm::plan
