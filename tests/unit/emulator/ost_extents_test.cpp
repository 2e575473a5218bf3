// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/ost_extents.hpp"

#include <gtest/gtest.h>

#include <map>

#include "client/layout.hpp"

namespace lhsm::emulator {
namespace {

std::string layout_of(std::uint16_t stripes, std::uint32_t stripe_size, std::uint16_t first = 0, bool is_v3 = false) {
  LayoutHeader header;
  header.magic = is_v3 ? LayoutHeader::k_v3 : LayoutHeader::k_v1;
  header.stripe_count = stripes;
  header.stripe_size = stripe_size;
  header.stripe_offset = first;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  if (is_v3) bytes.append(LayoutHeader::k_pool_size, '\0');
  return *instantiated_layout(bytes);
}

std::map<std::uint32_t, std::uint64_t> shares(const std::string& layout, std::uint64_t offset, std::uint64_t size) {
  std::map<std::uint32_t, std::uint64_t> by_ost;
  for (const auto& share : ost_extents(layout, offset, size)) by_ost[share.ost] += share.bytes;
  return by_ost;
}

using Shares = std::map<std::uint32_t, std::uint64_t>;

TEST(OstExtents, one_stripe_has_it_all) {
  EXPECT_EQ(shares(layout_of(1, 65536, 3), 1000, 1U << 30U), (Shares{{3, 1U << 30U}}));
}

TEST(OstExtents, every_byte_is_on_the_ost_of_its_stripe) {
  for (const bool is_v3 : {false, true}) {
    const auto layout = layout_of(3, 65536, 2, is_v3);
    for (const std::uint64_t offset : {0ULL, 1ULL, 65535ULL, 65536ULL, 200'000ULL})
      for (const std::uint64_t size : {1ULL, 65536ULL, 65537ULL, 500'000ULL}) {
        Shares expected;
        for (auto at = offset; at < offset + size; ++at) ++expected[(2 + at / 65536 % 3) % 4];
        EXPECT_EQ(shares(layout, offset, size), expected) << offset << " " << size;
      }
  }
}

TEST(OstExtents, several_stripes_of_a_file_on_one_ost_are_one_share) {
  EXPECT_EQ(ost_extents(layout_of(8, 65536), 0, 8 * 65536).size(), 4U);
}

TEST(OstExtents, what_is_not_understood_is_on_the_first) {
  auto torn = layout_of(4, 65536, 1);
  torn.resize(torn.size() - 1);
  std::string composite(200, '\0');
  composite.replace(0, 4, "\xd0\x0b\xd6\x0b", 4);
  for (const auto& layout : {std::string(), torn, composite}) EXPECT_EQ(shares(layout, 5, 100), (Shares{{0, 100}}));
}

}  // namespace
}  // namespace lhsm::emulator
