// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Large files: begun by one worker, copied by all, ended when all have closed.
#include <set>

#include "unit/plan/plan_support.hpp"

namespace lhsm::plan {
namespace {

class SchedulerLargeTest : public SchedulerFixture {
 protected:
  SchedulerLargeTest() : SchedulerFixture({.extent_bytes = k_mib, .max_batch = 64, .queue_ahead = 20ms}) {}
  void SetUp() override {
    ASSERT_TRUE(m_scheduler.add_worker(0, 2, "a"));
    ASSERT_TRUE(m_scheduler.add_worker(1, 2, "b"));
    ASSERT_TRUE(m_scheduler.add_worker(2, 2, "c"));
  }
  std::vector<GiveExtent> extents(std::vector<Command> commands) {
    std::vector<GiveExtent> found;
    for (Command& command : commands)
      if (auto* const extent = std::get_if<GiveExtent>(&command)) found.push_back(*extent);
    return found;
  }
};

TEST_F(SchedulerLargeTest, what_an_earlier_run_copied_is_not_copied_but_reported) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 4 * k_mib);
  const std::vector<Extent> done{{0, 2 * k_mib}, {3 * k_mib, k_mib}};
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(4 * k_mib), done));
  const auto rest = take<GiveExtent>();
  EXPECT_EQ(rest.extent, (Extent{2 * k_mib, k_mib}));
  expect_nothing();
  m_scheduler.report_coverage();
  EXPECT_EQ(take<TellCovered>().extents, done);
  ASSERT_TRUE(m_scheduler.extent_done(rest.worker, rest.job, rest.extent, std::nullopt));
  EXPECT_FALSE(take<GiveFinish>().error);
}

TEST_F(SchedulerLargeTest, a_file_that_an_earlier_run_copied_whole_is_finished) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 4 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(4 * k_mib), {{0, 4 * k_mib}}));
  EXPECT_FALSE(take<GiveFinish>().error);
}

TEST_F(SchedulerLargeTest, begun_file_is_copied_by_all_and_finished_by_its_owner) {
  const GiveBegin begin = add_large(ActionKind::restore, 1, 10 * k_mib + 7);
  expect_nothing();
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(10 * k_mib + 7)));
  ASSERT_NE(m_scheduler.striped(begin.job), nullptr);
  EXPECT_EQ(m_scheduler.striped(begin.job)->token, "token");
  std::deque<GiveExtent> running;
  std::set<WorkerId> helpers;
  std::uint64_t bytes = 0;
  std::uint64_t at = 0;
  for (;;) {
    for (const GiveExtent& extent : extents(take_all())) {
      EXPECT_EQ(extent.extent.offset, at);
      at = extent.extent.end();
      helpers.insert(extent.worker);
      running.push_back(extent);
    }
    EXPECT_LE(running.size(), 6U) << "no more than slots";
    ASSERT_FALSE(running.empty());
    const GiveExtent done = running.front();
    running.pop_front();
    bytes += done.extent.length;
    EXPECT_EQ(m_scheduler.find(begin.job)->state, JobState::copying);
    EXPECT_TRUE(m_scheduler.extent_done(done.worker, done.job, done.extent, std::nullopt));
    if (bytes == 10 * k_mib + 7) break;
  }
  EXPECT_EQ(helpers.size(), 3U);
  const auto finish = take<GiveFinish>();
  EXPECT_EQ(finish.worker, begin.worker);
  EXPECT_EQ(finish.job, begin.job);
  EXPECT_FALSE(finish.error.has_value());
  expect_nothing();
  EXPECT_FALSE(m_scheduler.idle());
  EXPECT_TRUE(m_scheduler.ended(begin.worker, begin.job, 1s).has_value());
  EXPECT_TRUE(m_scheduler.idle());
  EXPECT_EQ(m_scheduler.striped(begin.job), nullptr);
}

TEST_F(SchedulerLargeTest, begun_of_an_empty_file_is_finished_at_once) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 10 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(0)));
  EXPECT_FALSE(take<GiveFinish>().error.has_value());
}

TEST_F(SchedulerLargeTest, begun_twice_or_by_another_changes_nothing) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 2 * k_mib);
  EXPECT_FALSE(m_scheduler.begun(begin.worker == 0 ? 1 : 0, begin.job, striped(k_mib)));
  EXPECT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(2 * k_mib)));
  EXPECT_FALSE(m_scheduler.begun(begin.worker, begin.job, striped(k_mib)));
  EXPECT_EQ(m_scheduler.striped(begin.job)->size, 2 * k_mib);
  EXPECT_EQ(extents(take_all()).size(), 2U);
}

TEST_F(SchedulerLargeTest, next_begins_the_longest_file_of_the_first_class) {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> sizes = {{1, 5 * k_mib}, {2, 9 * k_mib}, {3, 7 * k_mib}};
  for (const auto& [oid, size] : sizes) add(ActionKind::archive, oid);
  add(ActionKind::restore, 4);
  std::vector<std::pair<WorkerId, JobId>> held;
  for (const Command& command : take_all())
    for (const JobId job : std::get<GiveJobs>(command).jobs) held.emplace_back(std::get<GiveJobs>(command).worker, job);
  ASSERT_EQ(held.size(), 4U);
  for (const auto& [worker, job] : held) {
    const std::uint32_t oid = m_scheduler.find(job)->item.fid.oid;
    EXPECT_TRUE(m_scheduler.found_large(worker, job, oid == 4 ? 2 * k_mib : sizes.at(oid - 1).second));
  }
  EXPECT_EQ(m_scheduler.queued(), 4U);
  std::vector<std::uint32_t> order;
  while (!m_scheduler.idle()) {
    for (const Command& command : take_all()) {
      const auto* const begin = std::get_if<GiveBegin>(&command);
      if (begin == nullptr) continue;
      order.push_back(m_scheduler.find(begin->job)->item.fid.oid);
      EXPECT_TRUE(m_scheduler.ended(begin->worker, begin->job, 1us)) << "begin failed";
    }
  }
  EXPECT_EQ(order, (std::vector<std::uint32_t>{4, 2, 3, 1}));
}

TEST_F(SchedulerLargeTest, ended_while_beginning_is_final) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 5 * k_mib);
  EXPECT_TRUE(m_scheduler.ended(begin.worker, begin.job, 1us).has_value());
  EXPECT_TRUE(m_scheduler.idle());
  expect_nothing();
}

TEST_F(SchedulerLargeTest, ended_while_copying_changes_nothing) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 5 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(5 * k_mib)));
  EXPECT_FALSE(m_scheduler.ended(begin.worker, begin.job, 1us).has_value());
  EXPECT_EQ(extents(take_all()).size(), 5U);
}

TEST_F(SchedulerLargeTest, extent_done_with_an_error_ends_the_file_when_all_have_closed) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 100 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(100 * k_mib)));
  const auto running = extents(take_all());
  ASSERT_EQ(running.size(), 6U);
  EXPECT_TRUE(m_scheduler.extent_done(running[2].worker, begin.job, running[2].extent, error_of(ENOSPC)));
  std::set<WorkerId> told;
  for (const Command& command : take_all()) {
    ASSERT_TRUE(std::holds_alternative<TellCancel>(command)) << "kind " << command.index();
    EXPECT_EQ(std::get<TellCancel>(command).error.sys_errno, ENOSPC);
    EXPECT_TRUE(told.insert(std::get<TellCancel>(command).worker).second) << "each helper once";
  }
  EXPECT_EQ(told.size(), 3U);
  for (std::size_t i = 0; i < running.size(); ++i) {
    if (i == 2) continue;
    expect_nothing();
    EXPECT_TRUE(m_scheduler.extent_done(running[i].worker, begin.job, running[i].extent, error_of(ECANCELED)));
  }
  const auto finish = take<GiveFinish>();
  ASSERT_TRUE(finish.error.has_value());
  EXPECT_EQ(finish.error->sys_errno, ENOSPC) << "the first error is the file's";
  EXPECT_TRUE(m_scheduler.ended(begin.worker, begin.job, 1us).has_value());
  EXPECT_TRUE(m_scheduler.idle());
}

TEST_F(SchedulerLargeTest, extent_done_of_strangers_changes_nothing) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 2 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(2 * k_mib)));
  const auto running = extents(take_all());
  ASSERT_EQ(running.size(), 2U);
  const auto& [worker, job, extent] = running.front();
  EXPECT_FALSE(m_scheduler.extent_done(running[1].worker, job, extent, std::nullopt)) << "not his";
  EXPECT_FALSE(m_scheduler.extent_done(worker, job, {extent.offset, extent.length - 1}, std::nullopt));
  EXPECT_FALSE(m_scheduler.extent_done(worker, job + 7, extent, std::nullopt));
  EXPECT_TRUE(m_scheduler.extent_done(worker, job, extent, std::nullopt));
  EXPECT_FALSE(m_scheduler.extent_done(worker, job, extent, error_of(EIO))) << "late";
  EXPECT_TRUE(m_scheduler.extent_done(running[1].worker, job, running[1].extent, std::nullopt));
  EXPECT_FALSE(take<GiveFinish>().error.has_value());
}

TEST_F(SchedulerLargeTest, trouble_of_the_owner_stops_the_file) {
  const GiveBegin begin = add_large(ActionKind::restore, 1, 100 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(100 * k_mib)));
  const auto running = extents(take_all());
  EXPECT_FALSE(m_scheduler.trouble(begin.worker == 0 ? 1 : 0, begin.job, error_of(ECANCELED)));
  expect_nothing();
  EXPECT_TRUE(m_scheduler.trouble(begin.worker, begin.job, error_of(ECANCELED)));
  EXPECT_TRUE(m_scheduler.trouble(begin.worker, begin.job, error_of(ENOENT))) << "again: nothing new";
  for (const auto& [worker, job, extent] : running)
    EXPECT_TRUE(m_scheduler.extent_done(worker, job, extent, error_of(ECANCELED)));
  std::size_t cancels = 0;
  std::size_t finishes = 0;
  for (const Command& command : take_all()) {
    if (std::holds_alternative<TellCancel>(command)) ++cancels;
    if (const auto* const finish = std::get_if<GiveFinish>(&command)) {
      ++finishes;
      ASSERT_TRUE(finish->error.has_value());
      EXPECT_EQ(finish->error->sys_errno, ECANCELED);
    }
  }
  EXPECT_EQ(cancels, 3U);
  EXPECT_EQ(finishes, 1U);
  EXPECT_TRUE(m_scheduler.trouble(begin.worker, begin.job, error_of(EIO))) << "late, and harmless";
  expect_nothing();
}

TEST_F(SchedulerLargeTest, report_coverage_tells_the_owner_each_extent_once) {
  const GiveBegin begin = add_large(ActionKind::restore, 1, 4 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(begin.worker, begin.job, striped(4 * k_mib)));
  const auto running = extents(take_all());
  ASSERT_EQ(running.size(), 4U);
  m_scheduler.report_coverage();
  expect_nothing();
  for (const std::size_t i : {2U, 0U})
    EXPECT_TRUE(m_scheduler.extent_done(running[i].worker, begin.job, running[i].extent, std::nullopt));
  m_scheduler.report_coverage();
  const auto covered = take<TellCovered>();
  EXPECT_EQ(covered.worker, begin.worker);
  EXPECT_EQ(covered.extents, (std::vector<Extent>{running[2].extent, running[0].extent}));
  m_scheduler.report_coverage();
  expect_nothing();
}

TEST_F(SchedulerLargeTest, next_gives_extents_of_the_first_file_first_and_begins_the_next_in_time) {
  ASSERT_EQ(m_scheduler.queued(), 0U);
  const GiveBegin first = add_large(ActionKind::archive, 1, 8 * k_mib);
  ASSERT_TRUE(m_scheduler.begun(first.worker, first.job, striped(8 * k_mib)));
  auto running = extents(take_all());
  ASSERT_EQ(running.size(), 6U);
  add(ActionKind::archive, 2);
  const auto given = take<GiveJobs>();
  EXPECT_TRUE(m_scheduler.found_large(given.worker, given.jobs.front(), 5 * k_mib));
  expect_nothing();  // two extents of the first are still to be cut
  EXPECT_TRUE(m_scheduler.extent_done(running[0].worker, first.job, running[0].extent, std::nullopt));
  EXPECT_EQ(take<GiveExtent>().job, first.job);
  EXPECT_TRUE(m_scheduler.extent_done(running[1].worker, first.job, running[1].extent, std::nullopt));
  EXPECT_EQ(take<GiveExtent>().job, first.job);
  expect_nothing();
  EXPECT_TRUE(m_scheduler.extent_done(running[2].worker, first.job, running[2].extent, std::nullopt));
  EXPECT_EQ(take<GiveBegin>().job, given.jobs.front()) << "a slot is free: begin before it idles";
}

TEST_F(SchedulerLargeTest, add_keeps_the_lane_of_a_large_file) {
  const GiveBegin begin = add_large(ActionKind::archive, 1, 5 * k_mib);
  add(ActionKind::remove, 1);
  expect_nothing();
  EXPECT_TRUE(m_scheduler.ended(begin.worker, begin.job, 1us).has_value());
  EXPECT_EQ(take<GiveJobs>().jobs.size(), 1U);
}

}  // namespace
}  // namespace lhsm::plan
