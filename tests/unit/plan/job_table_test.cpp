// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/job_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

#include "unit/plan/plan_support.hpp"

namespace lhsm::plan {
namespace {

TEST(JobTableTest, add_gives_new_ids_and_finds_them) {
  JobTable table;
  EXPECT_TRUE(table.empty());
  JobRecord* const first = table.add(item_of(ActionKind::archive, 1, 10));
  JobRecord* const second = table.add(item_of(ActionKind::restore, 2, 11));
  ASSERT_TRUE(first != nullptr && second != nullptr);
  EXPECT_NE(first->id, second->id);
  EXPECT_NE(first->id, 0U);
  EXPECT_EQ(table.find(first->id), first);
  EXPECT_EQ(table.find_cookie(0, 11), second);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(first->state, JobState::ready);
}

TEST(JobTableTest, add_refuses_a_cookie_that_is_here) {
  JobTable table;
  const JobId id = table.add(item_of(ActionKind::restore, 1, 10))->id;
  EXPECT_EQ(table.add(item_of(ActionKind::restore, 1, 10)), nullptr);
  EXPECT_EQ(table.add(item_of(ActionKind::archive, 2, 10)), nullptr) << "the cookie counts, not the file";
  EXPECT_EQ(table.size(), 1U);
  EXPECT_FALSE(table.erase(id).has_value());
  EXPECT_NE(table.add(item_of(ActionKind::restore, 1, 10)), nullptr) << "final: it may come again";
}

TEST(JobTableTest, add_takes_one_cookie_of_two_mdts) {
  JobTable table;
  const JobRecord* const a = table.add(item_of(ActionKind::restore, 1, 10, 0));
  const JobRecord* const b = table.add(item_of(ActionKind::restore, 2, 10, 1));
  const JobRecord* const unknown = table.add(item_of(ActionKind::restore, 3, 10, -1));
  ASSERT_TRUE(a != nullptr && b != nullptr && unknown != nullptr);
  EXPECT_EQ(table.find_cookie(0, 10), a);
  EXPECT_EQ(table.find_cookie(1, 10), b);
  EXPECT_EQ(table.find_cookie(-1, 10), unknown);
  EXPECT_EQ(table.find_cookie(2, 10), nullptr);
}

TEST(JobTableTest, erase_hands_the_lane_to_the_next_in_order) {
  JobTable table;
  std::vector<JobId> ids;
  for (std::uint64_t cookie = 1; cookie <= 4; ++cookie)
    ids.push_back(table.add(item_of(ActionKind::archive, 7, cookie))->id);
  EXPECT_EQ(table.find(ids[0])->state, JobState::ready);
  for (std::size_t i = 1; i < ids.size(); ++i) EXPECT_EQ(table.find(ids[i])->state, JobState::waiting);
  for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
    EXPECT_EQ(table.erase(ids[i]), ids[i + 1]);
    EXPECT_EQ(table.find(ids[i + 1])->state, JobState::ready);
  }
  EXPECT_EQ(table.erase(ids.back()), std::nullopt);
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.add(item_of(ActionKind::archive, 7, 9))->state, JobState::ready) << "the lane is free again";
}

TEST(JobTableTest, erase_of_an_unknown_id_changes_nothing) {
  JobTable table;
  table.add(item_of(ActionKind::archive, 7, 1));
  EXPECT_EQ(table.erase(4711), std::nullopt);
  EXPECT_EQ(table.size(), 1U);
}

TEST(JobTableTest, leave_lane_keeps_the_others_in_order) {
  JobTable table;
  const JobId holder = table.add(item_of(ActionKind::archive, 7, 1))->id;
  const JobId leaver = table.add(item_of(ActionKind::archive, 7, 2))->id;
  const JobId third = table.add(item_of(ActionKind::remove, 7, 3))->id;
  table.leave_lane(*table.find(leaver));
  EXPECT_EQ(table.find(leaver)->state, JobState::ready);
  EXPECT_EQ(table.erase(leaver), std::nullopt) << "it held no lane, so nobody may follow it";
  EXPECT_EQ(table.find(third)->state, JobState::waiting);
  EXPECT_EQ(table.erase(holder), third);
}

TEST(JobTableTest, an_id_is_not_given_again_though_its_place_is) {
  JobTable table;
  const JobId keeper = table.add(item_of(ActionKind::archive, 1, 1))->id;
  const JobId first = table.add(item_of(ActionKind::archive, 2, 2))->id;
  table.erase(first);
  const JobId second = table.add(item_of(ActionKind::archive, 3, 3))->id;
  EXPECT_GT(second, first) << "ids rise in the order in which jobs come";
  EXPECT_EQ(table.find(first), nullptr);
  EXPECT_EQ(table.find(second)->item.cookie, 3U);
  table.erase(keeper);
  table.erase(second);
  ASSERT_TRUE(table.empty());
  EXPECT_GT(table.add(item_of(ActionKind::archive, 1, 1))->id, second) << "also when all were gone in between";
  EXPECT_EQ(table.find(keeper), nullptr);
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(~JobId{0}), nullptr);
}

/// Random operations against lanes that are kept as plain lists.
TEST(JobTableTest, it_agrees_with_a_model_of_its_lanes) {
  std::mt19937 random(4711);
  JobTable table;
  std::map<std::uint32_t, std::deque<JobId>> lanes;  // by OID; the first one runs
  std::map<JobId, std::uint32_t> jobs;
  std::set<JobId> outside;  // that left their lanes
  std::uint64_t cookie = 0;
  for (int step = 0; step < 20'000; ++step) {
    const auto pick = [&] { return std::next(jobs.begin(), static_cast<int>(random() % jobs.size())); };
    // Tides: floods and ebbs down to nothing.
    const bool grows = jobs.empty() || random() % 100 < (step / 2000 % 2 == 0 ? 70U : 30U);
    if (grows) {
      const std::uint32_t oid = random() % 16 + 1;
      const JobRecord* const job = table.add(item_of(ActionKind::archive, oid, ++cookie));
      ASSERT_NE(job, nullptr);
      ASSERT_EQ(job->state, lanes[oid].empty() ? JobState::ready : JobState::waiting);
      lanes[oid].push_back(job->id);
      jobs[job->id] = oid;
      continue;
    }
    const auto [id, oid] = *pick();
    auto& lane = lanes[oid];
    JobRecord* const job = table.find(id);
    ASSERT_NE(job, nullptr);
    ASSERT_EQ(table.find_cookie(0, job->item.cookie), job);
    if (job->state == JobState::waiting) {
      table.leave_lane(*job);
      lane.erase(std::find(lane.begin(), lane.end(), id));
      outside.insert(id);
      continue;
    }
    std::optional<JobId> successor;
    if (outside.erase(id) == 0) {
      ASSERT_EQ(lane.front(), id);
      lane.pop_front();
      if (!lane.empty()) successor = lane.front();
    }
    ASSERT_EQ(table.erase(id), successor) << "step " << step;
    jobs.erase(id);
    ASSERT_EQ(table.size(), jobs.size());
  }
  std::size_t seen = 0;
  table.for_each([&](const JobRecord& job) { seen += jobs.count(job.id); });
  EXPECT_EQ(seen, jobs.size());
}

}  // namespace
}  // namespace lhsm::plan
