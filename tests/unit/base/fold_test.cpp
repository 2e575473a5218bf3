// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/fold.hpp"

#include <gtest/gtest.h>

namespace lhsm {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint k_start = TimePoint{} + 1h;

TEST(FoldTest, admits_twenty_of_a_kind_and_counts_the_others) {
  Fold fold;
  EXPECT_TRUE(fold.pass(k_start).empty());
  int admitted = 0;
  for (int i = 0; i < 1000; ++i) admitted += fold.admit("kind", "line " + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(admitted, 20);
  EXPECT_TRUE(fold.admit("another", "line")) << "it is not lost in the flood of the others";
  EXPECT_TRUE(fold.pass(k_start + 9s).empty());
  const auto folded = fold.pass(k_start + 10s);
  ASSERT_EQ(folded.size(), 1U);
  EXPECT_EQ(folded[0].kind, "kind");
  EXPECT_EQ(folded[0].count, 980U);
  EXPECT_EQ(folded[0].last, "line 999");
  EXPECT_TRUE(fold.admit("kind", "line")) << "another ten seconds have begun";
  EXPECT_TRUE(fold.close().empty());
}

TEST(FoldTest, many_kinds_share_one_count_when_no_line_is_left) {
  Fold fold;
  int admitted = 0;
  for (int i = 0; i < 10'000; ++i) admitted += fold.admit("kind " + std::to_string(i), "line") ? 1 : 0;
  EXPECT_EQ(admitted, 100);
  EXPECT_FALSE(fold.admit("kind 0", "known")) << "one that had lines has no more than the others";
  const auto folded = fold.close();
  ASSERT_EQ(folded.size(), 2U);
  EXPECT_EQ(folded[0].kind, "");
  EXPECT_EQ(folded[0].count, 9'900U);
  EXPECT_EQ(folded[1].kind, "kind 0");
  EXPECT_EQ(folded[1].last, "known");
}

}  // namespace
}  // namespace lhsm
