// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/interval_union.hpp"

#include <gtest/gtest.h>

namespace lhsm::emulator {
namespace {

TEST(IntervalUnionTest, merges_overlap_and_adjacency_in_any_order) {
  // The sequence that was watched on a real MDT, in MiB.
  IntervalUnion done;
  EXPECT_TRUE(done.add(8, 4));
  EXPECT_EQ(done.total(), 4U);
  EXPECT_TRUE(done.add(0, 4));
  EXPECT_EQ(done.total(), 8U);
  EXPECT_TRUE(done.add(2, 4));
  EXPECT_EQ(done.total(), 10U);
  EXPECT_TRUE(done.add(8, 4));
  EXPECT_EQ(done.total(), 10U);
  EXPECT_TRUE(done.add(0, 16));
  EXPECT_EQ(done.total(), 16U);
  EXPECT_TRUE(done.add(20, 1));
  EXPECT_EQ(done.total(), 17U);
  EXPECT_EQ(done.pieces(), 2U);
}

TEST(IntervalUnionTest, one_byte_at_a_time_backwards_is_one_piece) {
  IntervalUnion done;
  for (std::uint64_t byte = 1000; byte-- > 0;) ASSERT_TRUE(done.add(byte, 1));
  EXPECT_EQ(done.total(), 1000U);
  EXPECT_EQ(done.pieces(), 1U);
}

TEST(IntervalUnionTest, refuses_overflow_and_keeps_what_was) {
  IntervalUnion done;
  EXPECT_TRUE(done.add(0, 10));
  EXPECT_FALSE(done.add(~std::uint64_t{0}, 10));
  EXPECT_EQ(done.total(), 10U);
  EXPECT_TRUE(done.add(0, ~std::uint64_t{0}));
  EXPECT_EQ(done.total(), ~std::uint64_t{0});
}

TEST(IntervalUnionTest, empty_interval_changes_nothing) {
  IntervalUnion done;
  EXPECT_TRUE(done.add(5, 0));
  EXPECT_EQ(done.total(), 0U);
}

}  // namespace
}  // namespace lhsm::emulator
