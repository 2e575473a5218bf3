// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/stall_watch.hpp"

#include <gmock/gmock.h>

namespace lhsm::run {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimePoint at(Duration time) { return TimePoint{} + 1000s + time; }

RunningFile copying(std::uint32_t oid, std::uint64_t done) {
  RunningFile file;
  file.fid = {0x200000401, oid, 0};
  file.done = done;
  return file;
}

std::vector<std::uint32_t> oids(const std::vector<RunningFile>& files) {
  std::vector<std::uint32_t> found;
  for (const RunningFile& file : files) found.push_back(file.fid.oid);
  return found;
}

TEST(StallWatchTest, a_copy_that_does_not_move_is_told_of_once) {
  StallWatch watch(1, at(0s));
  EXPECT_THAT(oids(watch.stalled({copying(1, 5), copying(2, 5)}, at(0s))), IsEmpty());
  EXPECT_THAT(oids(watch.stalled({copying(1, 5), copying(2, 6)}, at(9min))), IsEmpty());
  EXPECT_THAT(oids(watch.stalled({copying(1, 5), copying(2, 6)}, at(10min))), ElementsAre(1));
  EXPECT_THAT(oids(watch.stalled({copying(1, 5), copying(2, 7)}, at(18min))), IsEmpty());
  EXPECT_THAT(oids(watch.stalled({copying(1, 6), copying(2, 7)}, at(19min))), IsEmpty()) << "it goes on";
  EXPECT_THAT(oids(watch.stalled({copying(1, 6), copying(2, 8)}, at(29min))), ElementsAre(1)) << "and stops again";
}

TEST(StallWatchTest, a_copy_that_is_over_is_forgotten) {
  StallWatch watch(1, at(0s));
  std::ignore = watch.stalled({copying(1, 5)}, at(0s));
  std::ignore = watch.stalled({}, at(1s));
  EXPECT_THAT(watch.stalled({copying(1, 5)}, at(10min)), IsEmpty());
}

TEST(StallWatchTest, extents_that_wait_for_slots_do_not_hang) {
  StallWatch watch(1, at(0s));
  RunningFile file = copying(1, 5);
  file.is_striped = true;
  file.size = 100;
  std::ignore = watch.stalled({file}, at(0s));
  EXPECT_THAT(watch.stalled({file}, at(10min)), IsEmpty());
  file.extents_running = 1;
  std::ignore = watch.stalled({file}, at(11min));
  EXPECT_THAT(watch.stalled({file}, at(21min)), ::testing::SizeIs(1));

  file.extents_running = 0;
  file.done = file.size;  // only its end is missing
  std::ignore = watch.stalled({file}, at(30min));
  EXPECT_THAT(watch.stalled({file}, at(40min)), ::testing::SizeIs(1));
}

TEST(StallWatchTest, a_restore_beside_an_archive_of_its_file_hides_nothing) {
  StallWatch watch(1, at(0s));
  RunningFile archive = copying(1, 5);
  archive.kind = ActionKind::archive;
  RunningFile restore = copying(1, 5);
  restore.kind = ActionKind::restore;
  std::ignore = watch.stalled({archive, restore}, at(0s));
  restore.done = 6;
  const auto found = watch.stalled({archive, restore}, at(10min));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().kind, ActionKind::archive);
}

TEST(StallWatchTest, a_rank_that_says_nothing_is_told_of_once) {
  StallWatch watch(3, at(0s));
  EXPECT_FALSE(watch.heard(1, at(30s)));
  EXPECT_THAT(watch.silent(at(59s)), IsEmpty());
  EXPECT_THAT(watch.silent(at(60s)), ElementsAre(0, 2));
  EXPECT_THAT(watch.silent(at(80s)), IsEmpty());
  EXPECT_TRUE(watch.heard(2, at(81s))) << "it speaks again";
  EXPECT_FALSE(watch.heard(2, at(82s)));
  EXPECT_THAT(watch.silent(at(142s)), ElementsAre(1, 2));
}

TEST(StallWatchTest, nothing_is_expected_where_there_is_no_work) {
  StallWatch watch(1, at(0s));
  watch.rest(at(1h));
  EXPECT_THAT(watch.silent(at(1h + 59s)), IsEmpty());
  EXPECT_THAT(watch.silent(at(1h + 60s)), ElementsAre(0));
}

}  // namespace
}  // namespace lhsm::run
