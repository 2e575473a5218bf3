// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/row.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace lhsm::scan {
namespace {

std::vector<Row> sample_rows() {
  Row full{{1, 2, 3}, std::string("a/\xff\n b"), 4, 5, -6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  Row largest{{~0ULL, ~0U, ~0U}, std::string(5000, 'x'), ~0ULL, ~0ULL, INT64_MAX, ~0ULL, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U, ~0U};
  return {full, Row{}, largest};
}

TEST(RowTest, come_back_as_they_went) {
  std::string block;
  for (const Row& row : sample_rows()) append_row(block, row);
  std::vector<Row> back;
  ASSERT_TRUE(for_each_row(block, [&back](const Row& row) { back.push_back(row); }));
  EXPECT_EQ(back, sample_rows());
}

TEST(RowTest, a_block_that_is_cut_is_an_error) {
  std::string block;
  append_row(block, sample_rows()[0]);
  for (std::size_t size = 1; size < block.size(); ++size) {
    const auto read = for_each_row(std::string_view(block).substr(0, size), [](const Row&) {});
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().sys_errno, EBADMSG);
  }
}

}  // namespace
}  // namespace lhsm::scan
