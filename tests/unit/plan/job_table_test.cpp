// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/job_table.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace lhsm::plan
