// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/ost_extents.hpp"

#include <gtest/gtest.h>

#include <map>

#include "client/layout.hpp"

namespace lhsm::emulator {
namespace {

Layout layout_of(std::uint16_t stripes, std::uint32_t stripe_size, std::uint16_t first = 0, bool is_overstriped = false) {
  Layout wanted;
  wanted.components.resize(1);
  auto& header = wanted.components[0].header;
  header.stripe_count = stripes;
  header.stripe_size = stripe_size;
  header.stripe_offset = first;
  if (is_overstriped) header.pattern |= LayoutHeader::k_overstriped;
  return instantiated_layout(wanted, OstMap(), 0);
}

std::map<std::uint32_t, std::uint64_t> shares(const Layout& layout, std::uint64_t offset, std::uint64_t size) {
  std::map<std::uint32_t, std::uint64_t> by_ost;
  for (const auto& share : ost_extents(layout, offset, size)) by_ost[share.ost] += share.bytes;
  return by_ost;
}

using Shares = std::map<std::uint32_t, std::uint64_t>;

TEST(OstExtents, one_stripe_has_it_all) {
  EXPECT_EQ(shares(layout_of(1, 65536, 3), 1000, 1U << 30U), (Shares{{3, 1U << 30U}}));
}

TEST(OstExtents, every_byte_is_on_the_ost_of_its_stripe) {
  const auto layout = layout_of(3, 65536, 2);
  for (const std::uint64_t offset : {0ULL, 1ULL, 65535ULL, 65536ULL, 200'000ULL})
    for (const std::uint64_t size : {1ULL, 65536ULL, 65537ULL, 500'000ULL}) {
      Shares expected;
      for (auto at = offset; at < offset + size; ++at) ++expected[(2 + at / 65536 % 3) % 4];
      EXPECT_EQ(shares(layout, offset, size), expected) << offset << " " << size;
    }
}

TEST(OstExtents, several_stripes_of_a_file_on_one_ost_are_one_share) {
  EXPECT_EQ(ost_extents(layout_of(8, 65536, 0, true), 0, 8 * 65536).size(), 4U);
}

TEST(OstExtents, components_have_their_own) {
  Layout wanted;
  wanted.is_composite = true;
  wanted.components.resize(3);
  auto& mdt = wanted.components[0];
  mdt.header.pattern = LayoutHeader::k_mdt;
  mdt.header.stripe_size = 1U << 20U;
  mdt.entry.end = 1U << 20U;
  auto& first = wanted.components[1];
  first.entry.start = mdt.entry.end;
  first.entry.end = 4U << 20U;
  first.header.stripe_offset = 3;
  auto& last = wanted.components[2];
  last.entry.start = first.entry.end;
  last.header.stripe_count = 2;
  last.header.stripe_size = 1U << 20U;
  last.header.stripe_offset = 1;
  FileFacts facts;
  facts.size = 8U << 20U;
  const auto layout = layout_as_seen(instantiated_layout(wanted, OstMap(), 0), facts, OstMap());
  EXPECT_EQ(shares(layout, 0, 1U << 20U), Shares()) << "on the MDT";
  EXPECT_EQ(shares(layout, 0, 2U << 20U), (Shares{{3, 1U << 20U}}));
  EXPECT_EQ(shares(layout, 3U << 20U, 3U << 20U), (Shares{{3, 1U << 20U}, {1, 1U << 20U}, {2, 1U << 20U}}));
}

TEST(OstExtents, what_is_not_understood_is_on_the_first) {
  Layout foreign;
  foreign.foreign = "something else";
  EXPECT_EQ(shares(foreign, 5, 100), (Shares{{0, 100}}));
}

}  // namespace
}  // namespace lhsm::emulator
