// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Layouts as bytes, which are taken, and what becomes of them: without files.
#include <gtest/gtest.h>

#include <cstring>

#include "client/layout.hpp"
#include "unit/emulator/layout_blobs.hpp"

namespace lhsm::emulator {
namespace {

constexpr auto k_eof = CompositeEntry::k_eof;

int refusal(const Layout& layout) {
  const auto checked = check_layout(layout, OstMap());
  return checked ? 0 : checked.error().sys_errno;
}

std::vector<std::uint32_t> osts_of(const Component& component) {
  std::vector<std::uint32_t> osts;
  for (const auto& object : component.objects) osts.push_back(object.ost_index);
  return osts;
}

bool is_initialised(const Component& component) { return (component.entry.flags & CompositeEntry::k_init) != 0; }

TEST(LayoutBytes, what_is_packed_is_read_again) {
  for (const auto& layout :
       {plain(stripes(3, k_mib)), plain(stripes(1, k_mib, "fast")), on_osts({2, 0}), three_parts()}) {
    const auto bytes = pack_layout(layout);
    const auto read = parse_layout(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(pack_layout(*read), bytes);
    EXPECT_EQ(read->components.size(), layout.components.size());
  }
  const std::string foreign("\xd0\x0b\xd7\x0b\x04\0\0\0\x01\0\0\0\0\0\0\0data", 20);
  EXPECT_EQ(pack_layout(*parse_layout(foreign)), foreign);
}

TEST(LayoutBytes, sizes_are_those_of_lustre) {
  EXPECT_EQ(pack_layout(plain(stripes(1, k_mib))).size(), 32U);
  EXPECT_EQ(pack_layout(plain(stripes(1, k_mib, "p"))).size(), 48U);
  EXPECT_EQ(pack_layout(on_osts({1, 2})).size(), 48U + 2 * 24);
  const auto bytes = pack_layout(three_parts());
  EXPECT_EQ(bytes.size(), 32U + 3 * 48 + 3 * 32);
  std::uint32_t size = 0;
  std::memcpy(&size, bytes.data() + 4, sizeof size);
  EXPECT_EQ(size, bytes.size());
}

TEST(LayoutBytes, every_shortened_layout_is_refused) {
  for (const auto& layout : {plain(stripes(1, k_mib, "fast")), on_osts({2, 0}), three_parts()}) {
    const auto bytes = pack_layout(layout);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto read = parse_layout(std::string_view(bytes).substr(0, size));
      ASSERT_FALSE(read) << size;
      EXPECT_EQ(read.error().sys_errno, ERANGE);
    }
  }
  EXPECT_EQ(parse_layout(std::string(32, 'x')).error().sys_errno, EINVAL);
}

TEST(LayoutBytes, every_damaged_byte_is_survived) {
  const auto bytes = pack_layout(instantiated_layout(three_parts(), OstMap(), 0));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (const char value : {'\0', '\x7f', '\xff'}) {
      auto damaged = bytes;
      damaged[i] = value;
      if (auto read = parse_layout(damaged)) {
        std::ignore = refusal(*read);
        std::ignore = pack_layout(*read);
      }
    }
}

TEST(LayoutBytes, generation_and_mdt_size_are_read_from_the_bytes) {
  const auto bytes = pack_layout(three_parts());
  EXPECT_EQ(dom_size_of(bytes), k_mib);
  EXPECT_EQ(generation_of(with_generation(bytes, 70000)), 70000U);
  EXPECT_EQ(dom_size_of(pack_layout(plain(stripes(1, k_mib)))), 0U);
  EXPECT_EQ(generation_of(with_generation(pack_layout(plain(stripes(1, k_mib))), 7)), 7U);
  EXPECT_EQ(dom_size_of("abc"), 0U);
  EXPECT_EQ(with_generation("abc", 1), "abc");
}

TEST(LayoutBytes, rules_for_one_pattern) {
  EXPECT_EQ(refusal(plain(stripes(4, k_mib))), 0);
  EXPECT_EQ(refusal(plain(stripes(4, 65536 + 512))), EINVAL);
  EXPECT_EQ(refusal(plain(mdt_part(k_mib))), EINVAL) << "needs components";
  auto odd = stripes(1, k_mib);
  odd.header.pattern = 0x2;
  EXPECT_EQ(refusal(plain(odd)), EINVAL);
  auto placed = stripes(1, k_mib);
  placed.header.stripe_offset = 3;
  EXPECT_EQ(refusal(plain(placed)), 0);
  placed.header.stripe_offset = 4;
  EXPECT_EQ(refusal(plain(placed)), EINVAL) << "there are four OSTs";
  EXPECT_EQ(refusal(on_osts({3, 1})), 0);
  EXPECT_EQ(refusal(on_osts({3, 9})), ENODEV);
  EXPECT_EQ(refusal(on_osts({3, 3})), EINVAL);
}

TEST(LayoutBytes, rules_for_components) {
  const auto rest = [](std::uint64_t start) { return part(start, k_eof, stripes(1, k_mib)); };
  EXPECT_EQ(refusal(three_parts()), 0);
  EXPECT_EQ(refusal(composite({})), EINVAL);
  EXPECT_EQ(refusal(composite({part(0, k_mib, stripes(1, 0)), rest(2 * k_mib)})), EINVAL) << "a gap";
  EXPECT_EQ(refusal(composite({part(0, 2 * k_mib, stripes(1, 0)), rest(k_mib)})), EINVAL) << "an overlap";
  EXPECT_EQ(refusal(composite({rest(k_mib)})), EINVAL) << "does not begin at 0";
  EXPECT_EQ(refusal(composite({part(0, 1000, stripes(1, 0)), rest(1000)})), EINVAL) << "not aligned";
  EXPECT_EQ(refusal(composite({part(0, k_mib, stripes(1, 3 * 65536)), rest(k_mib)})), EINVAL) << "not whole stripes";
  EXPECT_EQ(refusal(composite({part(0, k_mib, stripes(1, 0))})), 0) << "need not go to the end of the file";
  EXPECT_EQ(refusal(composite({rest(0), rest(0)})), EINVAL) << "a second mirror that is not counted";
  auto mirrored = composite({rest(0), rest(0)});
  mirrored.head.mirror_count = 1;
  EXPECT_EQ(refusal(mirrored), 0);
  EXPECT_EQ(refusal(composite({part(0, k_mib, stripes(1, 0)), part(k_mib, k_eof, mdt_part(k_mib))})), EINVAL);
  auto striped_mdt = mdt_part(k_mib);
  striped_mdt.header.stripe_count = 2;
  EXPECT_EQ(refusal(composite({striped_mdt, rest(k_mib)})), EINVAL);
  auto short_mdt = mdt_part(k_mib);
  short_mdt.header.stripe_size = 65536;
  EXPECT_EQ(refusal(composite({short_mdt, rest(k_mib)})), EINVAL);
  auto pooled_mdt = mdt_part(k_mib);
  pooled_mdt.pool = "fast";
  EXPECT_EQ(refusal(composite({pooled_mdt, rest(k_mib)})), EINVAL);
}

TEST(LayoutBytes, objects_for_one_pattern) {
  const auto only = [](Layout layout) { return instantiated_layout(std::move(layout), OstMap(), 3).components.at(0); };
  EXPECT_EQ(osts_of(only(plain(stripes(2, k_mib)))), (std::vector<std::uint32_t>{3, 0}));
  EXPECT_EQ(only(plain(stripes(0, 0))).header.stripe_size, 4 * k_mib);
  EXPECT_EQ(osts_of(only(plain(stripes(9, 0)))).size(), 4U) << "no more than there are OSTs";
  EXPECT_EQ(osts_of(only(plain(stripes(LayoutHeader::k_all_osts, 0)))).size(), 4U);
  auto often = stripes(9, 0);
  often.header.pattern |= LayoutHeader::k_overstriped;
  EXPECT_EQ(osts_of(only(plain(often))).size(), 9U);
  EXPECT_EQ(osts_of(only(on_osts({2, 0}))), (std::vector<std::uint32_t>{2, 0}));
  EXPECT_EQ(only(on_osts({2, 0})).header.magic, LayoutHeader::k_v1);
  OstMap pools;
  pools.pool = [](std::string_view pool) -> std::optional<std::vector<std::uint16_t>> {
    if (pool != "fast") return std::nullopt;
    return std::vector<std::uint16_t>{1, 3};
  };
  const auto pooled = instantiated_layout(plain(stripes(4, 0, "fast")), pools, 0).components.at(0);
  EXPECT_EQ(osts_of(pooled), (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(pooled.pool, "fast");
}

TEST(LayoutBytes, components_get_objects_as_the_file_grows) {
  const auto stored = instantiated_layout(three_parts(), OstMap(), 1);
  const auto seen = [&](std::uint64_t size) { return layout_as_seen(stored, {size, false, {}, 5}, OstMap()); };
  EXPECT_EQ(stored.components[0].entry.id, 1U);
  EXPECT_EQ(stored.components[2].entry.id, 3U);
  const auto empty = seen(0);
  EXPECT_TRUE(is_initialised(empty.components[0]));
  EXPECT_FALSE(is_initialised(empty.components[1]));
  EXPECT_TRUE(empty.components[1].objects.empty());
  EXPECT_EQ(empty.head.generation, 3U);
  EXPECT_FALSE(is_initialised(seen(k_mib).components[1])) << "the next byte would be its first";
  const auto grown = seen(k_mib + 1);
  EXPECT_TRUE(is_initialised(grown.components[1]));
  EXPECT_EQ(osts_of(grown.components[1]).size(), 2U);
  EXPECT_FALSE(is_initialised(grown.components[2]));
  EXPECT_EQ(grown.head.generation, 4U);
  const auto whole = seen(16 * k_mib + 1);
  EXPECT_EQ(osts_of(whole.components[2]), (std::vector<std::uint32_t>{2, 3, 0, 1}));
  EXPECT_EQ(pack_layout(whole), pack_layout(seen(20 * k_mib))) << "the same at every look";
  EXPECT_EQ(dom_size_of(pack_layout(whole)), k_mib);
}

TEST(LayoutBytes, a_wanted_layout_brings_no_objects_ids_or_states) {
  // As read from an archived file: initialised, with objects and ids of its own.
  auto archived =
      layout_as_seen(instantiated_layout(three_parts(), OstMap(), 0), {64 * k_mib, false, {1, 2, 3}, 5}, OstMap());
  for (auto& component : archived.components) component.entry.id += 7;
  const auto fresh = instantiated_layout(archived, OstMap(), 2);
  EXPECT_FALSE(is_initialised(fresh.components[1]));
  EXPECT_TRUE(fresh.components[1].objects.empty());
  EXPECT_EQ(fresh.components[1].entry.id, 2U);
}

TEST(LayoutBytes, a_released_file_shows_it_in_every_pattern) {
  const auto stored = instantiated_layout(three_parts(), OstMap(), 0);
  const auto seen = layout_as_seen(stored, {20 * k_mib, true, {}, 5}, OstMap());
  for (const auto& component : seen.components) {
    EXPECT_NE(component.header.pattern & LayoutHeader::k_released, 0U);
    EXPECT_TRUE(is_initialised(component));
    EXPECT_TRUE(component.objects.empty());
  }
  EXPECT_EQ(seen.head.generation, stored.head.generation + 1);
  const auto again = instantiated_layout(seen, OstMap(), 0);
  EXPECT_EQ(again.components[1].header.pattern, LayoutHeader::k_raid0) << "nobody sets the flag";
  const auto one = layout_as_seen(default_layout(OstMap(), 1), {5, true, {}, 5}, OstMap());
  EXPECT_EQ(one.components[0].header.pattern, LayoutHeader::k_raid0 | LayoutHeader::k_released);
  EXPECT_EQ(one.components[0].header.stripe_count, 1);
}

TEST(LayoutBytes, mirrors_are_numbered) {
  auto mirrored = composite({part(0, k_eof, stripes(1, 0)), part(0, k_eof, stripes(1, 0))});
  mirrored.head.mirror_count = 1;
  const auto made = instantiated_layout(mirrored, OstMap(), 0);
  EXPECT_EQ(made.components[0].entry.id, 0x10001U);
  EXPECT_EQ(made.components[1].entry.id, 0x20002U);
  EXPECT_TRUE(is_initialised(made.components[1]));
}

}  // namespace
}  // namespace lhsm::emulator
