// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/filter.hpp"

#include <gtest/gtest.h>

#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::scan {
namespace {

bool size_holds(const char* condition, std::uint64_t size) {
  Filter filter;
  filter.sizes.push_back(parse_size_condition(condition).value());
  Row row;
  row.size = size;
  return filter.keeps(row);
}

bool age_holds(const char* condition, std::int64_t seconds) {
  Filter filter;
  filter.now_ns = 2'000'000'000'000'000'000;
  filter.ages.push_back(parse_age_condition(condition).value());
  Row row;
  row.mtime_ns = filter.now_ns - seconds * 1'000'000'000;
  return filter.keeps(row);
}

bool states_hold(const std::vector<const char*>& words, std::uint32_t state) {
  Filter filter;
  for (const char* word : words) filter.states.push_back(parse_state(word).value());
  Row row;
  row.hsm_state = state;
  return filter.keeps(row);
}

TEST(FilterTest, an_empty_filter_keeps_everything) { EXPECT_TRUE(Filter{}.keeps(Row{})); }

TEST(FilterTest, sizes_count_begun_units_as_find_does) {
  EXPECT_TRUE(size_holds("5", 5));
  EXPECT_FALSE(size_holds("5", 6));
  EXPECT_TRUE(size_holds("+1M", (1U << 20U) + 1));
  EXPECT_FALSE(size_holds("+1M", 1U << 20U));
  EXPECT_TRUE(size_holds("1M", 1U << 20U));
  EXPECT_TRUE(size_holds("1M", 1));
  EXPECT_FALSE(size_holds("1M", 0));
  EXPECT_TRUE(size_holds("-1M", 0));
  EXPECT_FALSE(size_holds("-1M", 1));
  EXPECT_TRUE(size_holds("-1048576", 1048575));
  EXPECT_TRUE(size_holds("+0", 1));
  EXPECT_TRUE(size_holds("-16384P", 1ULL << 62U)) << "more than 64 bits hold";
  EXPECT_TRUE(size_holds("+2k", 2049));
}

TEST(FilterTest, ages_count_whole_units_as_find_does) {
  EXPECT_TRUE(age_holds("1", 86400));
  EXPECT_TRUE(age_holds("1", 2 * 86400 - 1));
  EXPECT_FALSE(age_holds("1", 86399));
  EXPECT_FALSE(age_holds("+1", 2 * 86400 - 1));
  EXPECT_TRUE(age_holds("+1", 2 * 86400));
  EXPECT_TRUE(age_holds("-1", 86399));
  EXPECT_FALSE(age_holds("-1", 86400));
  EXPECT_TRUE(age_holds("+59s", 60));
  EXPECT_TRUE(age_holds("-2h", 7199));
  EXPECT_TRUE(age_holds("1y", 365 * 86400));
  EXPECT_TRUE(age_holds("-1s", -100)) << "a time that is to come is no age";
}

TEST(FilterTest, what_is_no_condition_is_refused) {
  for (const char* text : {"", "+", "-M", "1.5M", "1X", "--1", "1MM", " 1", "99999999999999999999"}) {
    EXPECT_FALSE(parse_size_condition(text)) << text;
    EXPECT_FALSE(parse_age_condition(text)) << text;
  }
  for (const char* text : {"", "!", "release", "!!dirty", "Dirty", "released,dirty"}) EXPECT_FALSE(parse_state(text)) << text;
  NumberSet numbers;
  for (const char* text : {"", "x", "-1", "4294967296", "!"}) EXPECT_FALSE(add_number(numbers, text)) << text;
  EXPECT_FALSE(add_user(numbers, "nobody of this name"));
  EXPECT_FALSE(add_group(numbers, "nobody of this name"));
}

TEST(FilterTest, states_must_all_hold) {
  constexpr std::uint32_t k_archived = abi::HS_EXISTS | abi::HS_ARCHIVED;
  constexpr std::uint32_t k_released = k_archived | abi::HS_RELEASED;
  EXPECT_TRUE(states_hold({"released"}, k_released));
  EXPECT_FALSE(states_hold({"released"}, k_archived));
  EXPECT_TRUE(states_hold({"archived", "!released"}, k_archived));
  EXPECT_FALSE(states_hold({"archived", "!released"}, k_released));
  EXPECT_FALSE(states_hold({"archived", "!released"}, 0));
  EXPECT_TRUE(states_hold({"none"}, 0));
  EXPECT_FALSE(states_hold({"none"}, abi::HS_NOARCHIVE));
  EXPECT_TRUE(states_hold({"!none"}, abi::HS_LOST));
  EXPECT_TRUE(states_hold({"lost", "dirty", "norelease", "noarchive", "exists"},
                          abi::HS_LOST | abi::HS_DIRTY | abi::HS_NORELEASE | abi::HS_NOARCHIVE | abi::HS_EXISTS));
}

TEST(FilterTest, of_several_numbers_one_must_match_and_no_negated_one) {
  Filter filter;
  for (const char* text : {"1", "2"}) ASSERT_TRUE(add_number(filter.archives, text));
  ASSERT_TRUE(add_user(filter.users, "root"));
  ASSERT_TRUE(add_group(filter.groups, "!root"));
  Row row;
  row.archive_id = 2;
  row.uid = 0;
  row.gid = 5;
  EXPECT_TRUE(filter.keeps(row));
  row.gid = 0;
  EXPECT_FALSE(filter.keeps(row));
  row.gid = 5;
  row.uid = 1;
  EXPECT_FALSE(filter.keeps(row));
  row.uid = 0;
  row.archive_id = 3;
  EXPECT_FALSE(filter.keeps(row));
}

TEST(FilterTest, globs_are_of_the_name_or_the_path) {
  Filter filter;
  filter.name_globs = {"*.dat", "x"};
  EXPECT_TRUE(filter.keeps_path("a/b.dat"));
  EXPECT_TRUE(filter.keeps_path("x"));
  EXPECT_FALSE(filter.keeps_path("a.dat/b"));
  filter.name_globs.clear();
  filter.path_globs = {"a/*"};
  EXPECT_TRUE(filter.keeps_path("a/b/c"));
  EXPECT_FALSE(filter.keeps_path("b/a/c"));
}

}  // namespace
}  // namespace lhsm::scan
