// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/lustre/action_list.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::lustre {
namespace {

using List = std::vector<std::byte>;

/// Builds lists as an MDT does; members may be set to anything.
struct Builder {
  std::uint32_t version = abi::HAL_VERSION;
  std::optional<std::uint32_t> count = std::nullopt;
  std::string fsname = "lustre";
  std::vector<std::string> data = {};  // one item each

  static void append(List& list, const void* bytes, std::size_t size) {
    const auto* const from = static_cast<const std::byte*>(bytes);
    list.insert(list.end(), from, from + size);
  }
  static void pad(List& list) { list.resize((list.size() + 7) / 8 * 8); }

  [[nodiscard]] List build() const {
    List list;
    abi::hsm_action_list header{};
    header.hal_version = version;
    header.hal_count = count.value_or(static_cast<std::uint32_t>(data.size()));
    header.hal_flags = 5;
    header.hal_archive_id = 9;
    append(list, &header, sizeof header);
    append(list, fsname.c_str(), fsname.size() + 1);
    pad(list);
    std::uint64_t n = 0;
    for (const std::string& text : data) {
      ++n;
      abi::hsm_action_item item{};
      item.hai_len = static_cast<std::uint32_t>(sizeof item + text.size());
      item.hai_action = abi::HSMA_RESTORE;
      item.hai_fid = {0x200000401, static_cast<std::uint32_t>(n), 0};
      item.hai_dfid = {0x200000402, static_cast<std::uint32_t>(n), 7};
      item.hai_extent = {n, ~std::uint64_t{0}};
      item.hai_cookie = 0x1000 + n;
      item.hai_gid = n * 3;
      append(list, &item, sizeof item);
      append(list, text.data(), text.size());
      pad(list);
    }
    return list;
  }
};

void put32(List& list, std::size_t at, std::uint32_t value) { std::memcpy(list.data() + at, &value, sizeof value); }

constexpr std::size_t k_items_at = 32 + 8;  // header, "lustre" padded

void expect_corrupt(std::span<const std::byte> bytes, const char* why) {
  const ActionList parsed = parse_action_list(bytes);
  EXPECT_NE(parsed.damage, "") << why;
  EXPECT_LE(parsed.unread_bytes, bytes.size()) << why;
}

TEST(ActionListTest, parse_copies_every_member) {
  const List list = Builder{.data = {"", "abc", std::string("\0\1", 2), std::string(8, 'x'), std::string(3000, 'y')}}.build();
  const ActionList parsed = parse_action_list(list);
  ASSERT_EQ(parsed.damage, "");
  EXPECT_EQ(parsed.fsname, "lustre");
  ASSERT_EQ(parsed.items.size(), 5U);
  const ActionItem& item = parsed.items[1];
  EXPECT_EQ(item.kind, ActionKind::restore);
  EXPECT_EQ(item.fid, (Fid{0x200000401, 2, 0}));
  EXPECT_EQ(item.dfid, (Fid{0x200000402, 2, 7}));
  EXPECT_EQ(item.extent, (Extent{2, ~std::uint64_t{0}}));
  EXPECT_EQ(item.cookie, 0x1002U);
  EXPECT_EQ(item.gid, 6U);
  EXPECT_EQ(item.list_flags, 5U);
  EXPECT_EQ(item.archive_id, 9U);
  EXPECT_EQ(item.mdt_index, -1);
  EXPECT_EQ(item.data, "abc");
  EXPECT_EQ(parsed.items[2].data, std::string("\0\1", 2));
  EXPECT_EQ(parsed.items[4].data.size(), 3000U);
}

TEST(ActionListTest, parse_takes_any_length_of_data) {
  for (std::size_t length = 0; length < 40; ++length) {
    const List list = Builder{.data = {std::string(length, 'a'), std::string(length + 1, 'b')}}.build();
    const ActionList parsed = parse_action_list(list);
    ASSERT_EQ(parsed.damage, "") << length;
    EXPECT_EQ(parsed.items[0].data, std::string(length, 'a'));
    EXPECT_EQ(parsed.items[1].data, std::string(length + 1, 'b'));
  }
}

TEST(ActionListTest, parse_takes_any_length_of_fsname) {
  for (std::size_t length = 0; length <= 8; ++length) {
    const ActionList parsed = parse_action_list(Builder{.fsname = std::string(length, 'f'), .data = {"x"}}.build());
    ASSERT_EQ(parsed.damage, "") << length;
    EXPECT_EQ(parsed.fsname.size(), length);
    EXPECT_EQ(parsed.items.at(0).data, "x");
  }
}

TEST(ActionListTest, parse_takes_unaligned_bytes) {
  const List list = Builder{.data = {"abc", "de"}}.build();
  for (std::size_t shift = 0; shift < 8; ++shift) {
    List shifted(shift);
    shifted.insert(shifted.end(), list.begin(), list.end());
    const ActionList parsed = parse_action_list(std::span(shifted).subspan(shift));
    ASSERT_EQ(parsed.damage, "");
    EXPECT_EQ(parsed.items.at(1).cookie, 0x1002U);
  }
}

TEST(ActionListTest, parse_takes_a_last_item_without_padding) {
  List list = Builder{.data = {"abc"}}.build();
  list.resize(k_items_at + 72 + 3);
  const ActionList parsed = parse_action_list(list);
  ASSERT_EQ(parsed.damage, "");
  EXPECT_EQ(parsed.items.at(0).data, "abc");
}

TEST(ActionListTest, parse_takes_a_list_of_nothing) {
  const ActionList parsed = parse_action_list(Builder{}.build());
  ASSERT_EQ(parsed.damage, "");
  EXPECT_TRUE(parsed.items.empty());
}

TEST(ActionListTest, parse_refuses_malformed_lists) {
  expect_corrupt({}, "nothing at all");
  expect_corrupt(List(31), "half a header");
  expect_corrupt(Builder{.version = 2}.build(), "another version");
  expect_corrupt(Builder{.version = 0}.build(), "no version");
  const List good = Builder{.data = {"abc", "d"}}.build();
  expect_corrupt(std::span(good).first(32), "no fsname");
  expect_corrupt(std::span(good).first(35), "fsname cut");
  expect_corrupt(std::span(good).first(39), "padding of fsname cut");
  List endless = good;
  endless.resize(40);
  std::fill(endless.begin() + 32, endless.end(), std::byte{'x'});
  expect_corrupt(endless, "fsname without an end");
  expect_corrupt(Builder{.count = 1}.build(), "one item told, none there");
  expect_corrupt(Builder{.count = 3, .data = {"a", "b"}}.build(), "more told than there");
  expect_corrupt(Builder{.count = ~0U, .data = {"a", "b"}}.build(), "very many told");
  for (const std::uint32_t length : {0U, 1U, 71U, 1000U, 0x7fffffffU, 0xfffffff9U, 0xffffffffU}) {
    List bad = good;
    put32(bad, k_items_at, length);
    expect_corrupt(bad, ("item of length " + std::to_string(length)).c_str());
  }
}

TEST(ActionListTest, parse_refuses_every_truncation) {
  const List good = Builder{.data = {"abc", "defgh"}}.build();
  const std::size_t end_of_data = good.size() - 3;  // the last item's padding may miss
  for (std::size_t length = 0; length < end_of_data; ++length)
    expect_corrupt(std::span(good).first(length), ("cut at " + std::to_string(length)).c_str());
}

/// Each of them is running for the coordinator, and must be answered.
TEST(ActionListTest, parse_returns_what_stands_before_the_damage) {
  List bad = Builder{.data = {"abc", "de", "f"}}.build();
  const std::size_t third = k_items_at + 80 + 80;
  put32(bad, third, 5);
  const ActionList parsed = parse_action_list(bad);
  EXPECT_EQ(parsed.damage, "item 2 of length 5");
  EXPECT_EQ(parsed.unread_bytes, bad.size() - third);
  EXPECT_EQ(parsed.fsname, "lustre");
  ASSERT_EQ(parsed.items.size(), 2U);
  EXPECT_EQ(parsed.items[1].cookie, 0x1002U);
  EXPECT_EQ(parsed.items[1].data, "de");
  EXPECT_EQ(parse_action_list(std::span(bad).first(20)).unread_bytes, 20U);
}

TEST(ActionListTest, parse_keeps_unknown_actions) {
  List list = Builder{.data = {"abc"}}.build();
  put32(list, k_items_at + 4, 99);
  const ActionList parsed = parse_action_list(list);
  ASSERT_EQ(parsed.damage, "");
  EXPECT_EQ(static_cast<std::uint32_t>(parsed.items.at(0).kind), 99U) << "it must be answered";
}

TEST(ActionListTest, parse_survives_random_damage) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const List good = Builder{.data = {"abc", "defgh", "", "longer than the others by far"}}.build();
  for (int round = 0; round < 50000; ++round) {
    List bad = good;
    for (std::size_t flips = 1 + random() % 4; flips > 0; --flips) bad[random() % bad.size()] = static_cast<std::byte>(random());
    bad.resize(random() % 4 == 0 ? random() % (bad.size() + 1) : bad.size());
    bad.shrink_to_fit();  // so that a sanitizer sees one byte too far
    {
      const ActionList parsed = parse_action_list(bad);
      std::size_t bytes = 0;
      for (const ActionItem& item : parsed.items) bytes += 72 + item.data.size();
      ASSERT_LE(bytes, bad.size());
    }
  }
}

}  // namespace
}  // namespace lhsm::lustre
