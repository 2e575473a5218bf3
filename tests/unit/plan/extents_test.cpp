// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/extents.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

namespace lhsm::plan {
namespace {

constexpr std::uint64_t k_MiB = std::uint64_t{1} << 20;
constexpr std::uint64_t k_GiB = k_MiB << 10U;

std::vector<Extent> cut_all(ExtentCutter cutter) {
  std::vector<Extent> extents;
  while (!cutter.empty()) extents.push_back(cutter.take());
  return extents;
}

TEST(ExtentCutterTest, take_covers_an_ordinary_file) {
  const auto extents = cut_all({3 * k_GiB + 5, 64 * k_MiB, k_MiB, 8, k_MiB});
  EXPECT_EQ(extents.front(), (Extent{0, 64 * k_MiB}));
  EXPECT_EQ(extents.back().end(), 3 * k_GiB + 5);
}

TEST(ExtentCutterTest, take_cuts_shorter_extents_towards_the_end) {
  const auto extents = cut_all({3 * k_GiB, 64 * k_MiB, k_MiB, 8, k_MiB});
  // As long as there are two whole turns for each slot, and a bounded number more after that.
  for (std::size_t i = 0; i <= 32; ++i) EXPECT_EQ(extents.at(i).length, 64 * k_MiB) << i;
  EXPECT_LT(extents.at(34).length, 64 * k_MiB);
  EXPECT_LE(extents.back().length, 8 * k_MiB);
  EXPECT_LT(extents.size(), 100U);
}

TEST(ExtentCutterTest, empty_for_an_empty_file) {
  const ExtentCutter cutter(0, 64 * k_MiB, k_MiB, 8, k_MiB);
  EXPECT_TRUE(cutter.empty());
}

TEST(ExtentCutterTest, take_gives_each_slot_four_turns) {
  // 1 GiB for 64 slots: 64 MiB would be 16 extents for 64 slots.
  EXPECT_GE(cut_all({k_GiB, 64 * k_MiB, k_MiB, 64, k_MiB}).size(), 256U);
}

TEST(ExtentCutterTest, take_never_cuts_below_a_mebibyte) {
  EXPECT_EQ(cut_all({10 * k_MiB, 4096, 65536, 64, k_MiB}).size(), 10U);
}

TEST(ExtentCutterTest, take_never_cuts_a_stripe) {
  EXPECT_EQ(cut_all({k_GiB, k_MiB, 128 * k_MiB, 64, k_MiB}).size(), 8U);
}

TEST(ExtentCutterTest, stop_ends_it) {
  ExtentCutter cutter(k_GiB, k_MiB, 0, 1, k_MiB);
  EXPECT_EQ(cutter.take(), (Extent{0, k_MiB}));
  cutter.stop();
  EXPECT_TRUE(cutter.empty());
}

TEST(ExtentCutterTest, take_reaches_the_largest_size) {
  constexpr std::uint64_t k_most = INT64_MAX;
  ExtentCutter cutter(k_most, k_GiB, k_MiB, 1, k_MiB);
  EXPECT_EQ(cutter.extent_bytes(), k_GiB);
  EXPECT_EQ(cutter.take(), (Extent{0, k_GiB}));
}

std::uint64_t up_to(std::mt19937_64& random, unsigned bits) {
  const unsigned length = std::uniform_int_distribution<unsigned>(0, bits)(random);
  return random() & ((std::uint64_t{1} << length) - 1);
}

TEST(ExtentCutterTest, take_has_every_property_for_random_files) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 4000; ++round) {
    const std::uint64_t size = up_to(random, 42);
    const std::uint64_t wanted = up_to(random, 34) + 1;
    // Lustre's stripe sizes: multiples of 64 KiB below 4 GiB, mostly powers of two; 0 is unknown.
    std::uint64_t stripe = 65536 * up_to(random, 16);
    if (round % 2 == 0) stripe = std::uint64_t{65536} << (random() % 16);
    const std::uint64_t slots = up_to(random, 12);
    const std::uint64_t granule = k_MiB << (round % 5);
    ExtentCutter cutter(size, wanted, stripe, slots, granule);
    SCOPED_TRACE("size " + std::to_string(size) + " wanted " + std::to_string(wanted) + " stripe " +
                 std::to_string(stripe) + " granule " + std::to_string(granule) + " slots " + std::to_string(slots) + " extent " +
                 std::to_string(cutter.extent_bytes()));

    // The least that can be cut: whole granules and whole stripes.
    const std::uint64_t unit = std::lcm(stripe == 0 ? 1 : stripe, granule);
    EXPECT_EQ(cutter.extent_bytes() % unit, 0U);
    EXPECT_LE(cutter.extent_bytes(), std::max(wanted, unit));
    const std::uint64_t in_units = size / unit + (size % unit != 0 ? 1 : 0);
    std::uint64_t at = 0;
    std::uint64_t count = 0;
    std::uint64_t length = cutter.extent_bytes();
    for (; count < 20'000 && !cutter.empty(); ++count) {
      const Extent extent = cutter.take();
      ASSERT_EQ(extent.offset, at);
      ASSERT_GT(extent.length, 0U);
      ASSERT_LE(extent.length, length) << "longer than the one before";
      ASSERT_TRUE(extent.length % unit == 0 || extent.end() == size);
      if (extent.end() == size) {
        ASSERT_LE(extent.length, std::max(unit, cutter.extent_bytes() / 8)) << "slots idle";
      }
      at = extent.end();
      length = extent.length;
    }
    if (cutter.empty()) {
      ASSERT_EQ(at, size);
      EXPECT_GE(count, std::min(4 * slots, in_units)) << "fewer than four turns";
    }
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(ExtentCutterTest, take_leaves_out_what_is_done) {
  const std::vector<Extent> done{{0, 2 * k_MiB}, {3 * k_MiB, k_MiB}, {4 * k_MiB, k_MiB}};
  const auto extents = cut_all({16 * k_MiB + 5, 4 * k_MiB, k_MiB, 1, k_MiB, done});
  EXPECT_EQ(extents.at(0), (Extent{2 * k_MiB, k_MiB}));
  EXPECT_EQ(extents.at(1).offset, 5 * k_MiB);
  EXPECT_EQ(extents.back().end(), 16 * k_MiB + 5);
}

TEST(ExtentCutterTest, empty_when_all_is_done) {
  EXPECT_TRUE(ExtentCutter(9 * k_MiB + 1, k_MiB, 0, 4, k_MiB, {{0, 9 * k_MiB}, {9 * k_MiB, 1}}).empty());
}

TEST(ExtentCutterTest, what_is_done_and_what_is_cut_are_the_file_once) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t size = up_to(random, 33);
    const std::uint64_t granule = k_MiB << (round % 3);
    const std::uint64_t granules = size / granule + (size % granule != 0 ? 1 : 0);
    std::vector<Extent> done;
    for (std::uint64_t at = random() % 4; at < granules; at += 1 + random() % 40) {
      const std::uint64_t count = 1 + random() % 20;
      const std::uint64_t end = std::min((at + count) * granule, size);
      done.push_back({at * granule, end - at * granule});
      at += count;
    }
    std::vector<Extent> all = cut_all({size, up_to(random, 30) + 1, 65536 * up_to(random, 8), up_to(random, 6), granule, done});
    for (const Extent& extent : all)
      ASSERT_TRUE(extent.offset % granule == 0 && (extent.length % granule == 0 || extent.end() == size));
    all.insert(all.end(), done.begin(), done.end());
    std::sort(all.begin(), all.end(), [](const Extent& a, const Extent& b) { return a.offset < b.offset; });
    std::uint64_t at = 0;
    for (const Extent& extent : all) {
      ASSERT_EQ(extent.offset, at);
      ASSERT_GT(extent.length, 0U);
      at = extent.end();
    }
    ASSERT_EQ(at, size);
  }
}

}  // namespace
}  // namespace lhsm::plan
