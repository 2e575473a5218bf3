// SPDX-License-Identifier: LGPL-2.1-or-later
// Sorting rows in files, and giving them out by groups.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "bulk/ordered_rows.hpp"
#include "lhsmtool_mpi/bulk/file_rate.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::bulk {
namespace {

Row row_of(std::uint64_t number, std::uint32_t group = 0) {
  return {number, {0x200000400ULL + number, static_cast<std::uint32_t>(number), 7}, 3, 2, -5, 11, group};
}

class RowOrderTest : public ::testing::Test {
 protected:
  std::string path() const { return (m_dir / "job.h5").string(); }

  struct Keyed {
    std::uint32_t group;
    std::string key;
    std::uint64_t row;
    auto operator<=>(const Keyed&) const = default;
  };
  SortedRows sorted(const std::vector<Keyed>& rows, SorterLimits limits = {}) {
    RowSorter sorter(path(), limits, {});
    for (const Keyed& row : rows) EXPECT_TRUE(sorter.add(row.key, row_of(row.row, row.group)));
    auto sorted = sorter.finish();
    EXPECT_TRUE(sorted) << sorted.error().describe();
    EXPECT_TRUE(test::files_below(m_dir.path()).empty()) << "nothing that a kill could leave behind";
    return std::move(*sorted);
  }
  /// All rows that come without any being final.
  static std::vector<std::uint64_t> numbers(RowSource& source) {
    std::vector<std::uint64_t> found;
    for (;;) {
      const auto row = source.next();
      EXPECT_TRUE(row) << row.error().describe();
      if (!row || !*row) return found;
      found.push_back((*row)->row);
    }
  }

  test::TempDir m_dir;
};

TEST_F(RowOrderTest, sorts_more_than_fits_into_memory) {
  std::mt19937_64 random(7);
  std::vector<Keyed> rows;
  for (std::uint64_t i = 0; i < 20'000; ++i)
    rows.push_back({static_cast<std::uint32_t>(random() % 3), std::string(random() % 40, static_cast<char>(random() % 256)), i});
  auto wanted = rows;
  std::sort(wanted.begin(), wanted.end(), [](const Keyed& a, const Keyed& b) {
    return std::tuple(a.group, std::string_view(a.key), a.row) < std::tuple(b.group, std::string_view(b.key), b.row);
  });
  // Some 300 runs, merged three at a time: several passes, and small buffers that cut records.
  for (const SorterLimits limits : {SorterLimits{}, SorterLimits{4096, 3, 64}}) {
    OrderedRows ordered(sorted(rows, limits), {});
    for (const Keyed& next : wanted) {
      const auto row = ordered.next();
      ASSERT_TRUE(row && *row);
      ASSERT_EQ((*row)->row, next.row);
      EXPECT_EQ((*row)->group, next.group);
    }
    EXPECT_TRUE(ordered.is_exhausted());
    EXPECT_FALSE(*ordered.next());
  }
}

TEST_F(RowOrderTest, keys_longer_than_any_buffer_do) {
  std::vector<Keyed> rows;
  for (std::uint64_t i = 0; i < 6; ++i) rows.push_back({0, std::string(300'000, static_cast<char>('f' - i)), i});
  OrderedRows ordered(sorted(rows, {400'000, 2, 64}), {});
  for (std::uint64_t i = 6; i-- > 0;) {
    const auto row = ordered.next();
    ASSERT_TRUE(row && *row);
    EXPECT_EQ((*row)->row, i);
  }
}

TEST_F(RowOrderTest, rows_come_back_whole) {
  OrderedRows ordered(sorted({{4, "key", 9}}), {});
  const Row row = ordered.next()->value();
  const Row wanted = row_of(9, 4);
  EXPECT_EQ(row.fid, wanted.fid);
  EXPECT_EQ(row.mdt_index, 3U);
  EXPECT_EQ(row.attempts, 2U);
  EXPECT_EQ(row.first_start_ns, -5);
  EXPECT_EQ(row.size, 11U);
  EXPECT_EQ(row.group, 4U);
}

TEST_F(RowOrderTest, none_is_an_order_too) {
  OrderedRows ordered(sorted({}), {});
  EXPECT_TRUE(ordered.is_exhausted());
  EXPECT_FALSE(*ordered.next());
}

TEST_F(RowOrderTest, paths_of_any_length_do) {
  std::vector<Keyed> rows;
  for (std::uint64_t i = 0; i < 40; ++i) rows.push_back({0, std::string(60'000, 'x') + static_cast<char>(200 - i), i});
  OrderedRows ordered(sorted(rows, {200'000, 2, 64}), {});
  std::vector<std::uint64_t> wanted;
  for (std::uint64_t i = 40; i > 0; --i) wanted.push_back(i - 1);
  EXPECT_EQ(numbers(ordered), wanted);
}

TEST_F(RowOrderTest, a_stop_ends_it) {
  bool is_stopped = false;
  RowSorter sorter(path(), {1000, 2, 64}, [&is_stopped] { return is_stopped; });
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(sorter.add("", row_of(i)));
  is_stopped = true;
  const auto sorted = sorter.finish();
  ASSERT_FALSE(sorted);
  EXPECT_EQ(sorted.error().sys_errno, ECANCELED);
}

TEST_F(RowOrderTest, a_place_that_cannot_be_written_is_an_error) {
  RowSorter sorter((m_dir / "no/such/job.h5").string(), {}, {});
  ASSERT_TRUE(sorter.add("", row_of(1)));
  EXPECT_EQ(sorter.finish().error().sys_errno, ENOENT);
}

TEST_F(RowOrderTest, groups_take_turns_by_weight) {
  std::vector<Keyed> rows;
  for (std::uint64_t i = 0; i < 4; ++i) rows.push_back({1, {}, i});
  for (std::uint64_t i = 10; i < 14; ++i) rows.push_back({2, {}, i});
  rows.push_back({7, {}, 20});
  GroupPolicy all;
  all.at_once = 100;
  OrderedRows turns(sorted(rows), all);
  EXPECT_EQ(numbers(turns), (std::vector<std::uint64_t>{0, 10, 20, 1, 11, 2, 12, 3, 13}));
  all.weight = [](std::uint32_t group) { return group == 2 ? 3U : 1U; };
  OrderedRows weighted(sorted(rows), all);
  EXPECT_EQ(numbers(weighted), (std::vector<std::uint64_t>{0, 10, 11, 12, 20, 1, 13, 2, 3}));
}

TEST_F(RowOrderTest, so_many_volumes_at_once_and_no_more) {
  std::vector<Keyed> rows;
  for (std::uint32_t volume = 0; volume < 5; ++volume)
    for (std::uint64_t i = 0; i < 3; ++i) rows.push_back({volume, {}, 10 * volume + i});
  GroupPolicy two;
  two.at_once = 2;
  two.until_final = true;
  OrderedRows ordered(sorted(rows), two);
  EXPECT_EQ(numbers(ordered), (std::vector<std::uint64_t>{0, 10, 1, 11, 2, 12}));
  EXPECT_FALSE(ordered.is_exhausted());
  ordered.over(row_of(0, 0));
  ordered.over(row_of(1, 0));
  EXPECT_FALSE(*ordered.next()) << "the last one is under way";
  ordered.over(row_of(2, 0));
  EXPECT_EQ(numbers(ordered), (std::vector<std::uint64_t>{20, 21, 22}));
  for (std::uint64_t i = 10; i < 13; ++i) ordered.over(row_of(i, 1));
  for (std::uint64_t i = 20; i < 23; ++i) ordered.over(row_of(i, 2));
  EXPECT_EQ(numbers(ordered), (std::vector<std::uint64_t>{30, 40, 31, 41, 32, 42}));
  EXPECT_TRUE(ordered.is_exhausted());
  ordered.over(row_of(99, k_no_group));
  ordered.over(row_of(99, 77));
}

TEST(FileRateTest, lets_so_many_through_in_a_second) {
  using namespace std::chrono_literals;
  TimePoint now = TimePoint{} + 1h;
  FileRate rate;
  EXPECT_EQ(rate.available(now, 500), 500U) << "no limit";
  rate.set(200, now);
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i, now += 10ms) {
    const std::size_t some = rate.available(now, 500);
    EXPECT_LE(some, 20U) << "a tenth of a second's";
    rate.take(some);
    taken += some;
  }
  EXPECT_NEAR(static_cast<double>(taken), 2000, 22);
  rate.take(rate.available(now, 500));
  EXPECT_EQ(rate.available(now, 500), 0U);
  EXPECT_GT(rate.due(), now);
  EXPECT_EQ(rate.available(rate.due(), 500), 1U);
  rate.set(1, now);
  now += 1h;
  EXPECT_EQ(rate.available(now, 500), 1U) << "nothing is saved up";
  rate.set(0, now);
  EXPECT_EQ(rate.available(now, 500), 500U);
}

}  // namespace
}  // namespace lhsm::bulk
