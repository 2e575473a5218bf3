// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/lustre/layout.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace lhsm::lustre {
namespace {

template <class T>
void put(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

/// struct lov_user_md_v1 or _v3, typed from <linux/lustre/lustre_user.h>.
std::string plain(std::uint32_t magic, std::uint32_t stripe_size, std::uint16_t stripes = 2) {
  std::string lov((magic == 0x0BD30BD0U ? 48U : 32U) + std::size_t{24} * stripes, '\0');
  put<std::uint32_t>(lov, 0, magic);
  put<std::uint32_t>(lov, 4, 1);  // raid0
  put<std::uint32_t>(lov, 24, stripe_size);
  put<std::uint16_t>(lov, 28, stripes);
  put<std::uint16_t>(lov, 30, 5);  // first OST
  return lov;
}

/// struct lov_comp_md_v1 with an entry for each component.
std::string composite(const std::vector<std::string>& components) {
  std::string lov(32 + 48 * components.size(), '\0');
  put<std::uint32_t>(lov, 0, 0x0BD60BD0);
  put<std::uint16_t>(lov, 14, static_cast<std::uint16_t>(components.size()));
  for (std::size_t i = 0; i < components.size(); ++i) {
    const std::size_t entry = 32 + 48 * i;
    put<std::uint32_t>(lov, entry + 24, static_cast<std::uint32_t>(lov.size()));
    put<std::uint32_t>(lov, entry + 28, static_cast<std::uint32_t>(components[i].size()));
    lov += components[i];
  }
  put<std::uint32_t>(lov, 4, static_cast<std::uint32_t>(lov.size()));
  return lov;
}

constexpr std::uint32_t k_v1 = 0x0BD10BD0;
constexpr std::uint32_t k_v3 = 0x0BD30BD0;

TEST(LayoutTest, any_released_component_makes_a_file_released) {
  const auto released = [](std::string lov) {
    put<std::uint32_t>(lov, 4, 0x80000001);
    return lov;
  };
  const std::string here = plain(k_v1, 1 << 20);
  EXPECT_EQ(is_released(here), false);
  EXPECT_EQ(is_released(released(here)), true);
  EXPECT_EQ(is_released(released(plain(k_v3, 1 << 20))), true);
  EXPECT_EQ(is_released(composite({here, here})), false);
  EXPECT_EQ(is_released(composite({here, released(here)})), true);
  EXPECT_EQ(is_released(""), false);
  // Not to be taken for one that is not.
  EXPECT_EQ(is_released(released(here).substr(0, 20)), std::nullopt);
  EXPECT_EQ(is_released(composite({here, released(here)}).substr(0, 180)), std::nullopt);
  EXPECT_EQ(is_released(composite({})), std::nullopt);
  EXPECT_EQ(is_released("another kind of layout, longer than the shortest"), std::nullopt);
}

TEST(LayoutTest, lost_objects_of_one_component_are_enough) {
  const std::string whole = plain(k_v1, 1 << 20);
  std::string lost = whole;
  put<std::uint32_t>(lost, 4, 0x40000001);
  EXPECT_FALSE(has_lost_objects(whole));
  EXPECT_TRUE(has_lost_objects(lost));
  EXPECT_FALSE(has_lost_objects(composite({whole, whole})));
  EXPECT_TRUE(has_lost_objects(composite({whole, lost})));
  EXPECT_FALSE(has_lost_objects(lost.substr(0, 20)));
  EXPECT_FALSE(has_lost_objects(""));
}

TEST(LayoutTest, stripe_size_of_plain_layouts) {
  EXPECT_EQ(stripe_size_of(plain(k_v1, 1 << 20)), 1U << 20U);
  EXPECT_EQ(stripe_size_of(plain(k_v3, 0xffff0000)), 0xffff0000U);
  EXPECT_EQ(stripe_size_of(plain(k_v1, 65536, 0)), 65536U) << "without objects";
}

TEST(LayoutTest, stripe_size_of_a_composite_is_its_largest) {
  EXPECT_EQ(stripe_size_of(composite({plain(k_v1, 1 << 20), plain(k_v3, 4 << 20), plain(k_v1, 2 << 20)})), 4U << 20U);
  EXPECT_EQ(stripe_size_of(composite({})), 0U);
}

TEST(LayoutTest, stripe_count_is_the_largest_of_the_components) {
  EXPECT_EQ(stripe_count_of(plain(k_v1, 1 << 20, 3)), 3U);
  EXPECT_EQ(stripe_count_of(plain(k_v3, 1 << 20, 0)), 0U);
  EXPECT_EQ(stripe_count_of(composite({plain(k_v1, 1 << 20, 1), plain(k_v3, 1 << 20, 8), plain(k_v1, 1 << 20, 4)})), 8U);
  EXPECT_EQ(stripe_count_of(composite({})), 0U);
  EXPECT_EQ(stripe_count_of("abc"), 0U);
}

TEST(LayoutTest, stripe_size_of_what_it_cannot_read_is_unknown) {
  EXPECT_EQ(stripe_size_of(""), 0U);
  EXPECT_EQ(stripe_size_of("abc"), 0U);
  EXPECT_EQ(stripe_size_of(std::string(64, '\xff')), 0U);
  EXPECT_EQ(stripe_size_of(plain(k_v1, 1 << 20).substr(0, 31)), 0U);
  std::string foreign = plain(k_v1, 1 << 20);
  put<std::uint32_t>(foreign, 0, 0x0BD70BD0);  // LOV_USER_MAGIC_FOREIGN
  EXPECT_EQ(stripe_size_of(foreign), 0U);
}

TEST(LayoutTest, stripe_size_of_never_trusts_an_offset) {
  for (const std::uint32_t offset : {0U, 31U, 79U, 1000U, 0x7fffffffU, 0xfffffff0U, 0xffffffffU}) {
    std::string lov = composite({plain(k_v1, 1 << 20)});
    put<std::uint32_t>(lov, 32 + 24, offset);
    EXPECT_EQ(stripe_size_of(lov), 0U) << offset;
  }
  std::string many = composite({plain(k_v1, 1 << 20)});
  put<std::uint16_t>(many, 14, 0xffff);
  static_cast<void>(stripe_size_of(many));
}

TEST(LayoutTest, stripe_size_of_survives_random_damage_and_truncation) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string good = composite({plain(k_v1, 1 << 20), plain(k_v3, 4 << 20)});
  for (int round = 0; round < 20000; ++round) {
    std::string bad = good.substr(0, random() % 3 == 0 ? random() % good.size() : good.size());
    for (std::size_t flips = random() % 5; flips > 0 && !bad.empty(); --flips)
      bad[random() % bad.size()] = static_cast<char>(random());
    bad.shrink_to_fit();
    EXPECT_LE(stripe_size_of(bad), 0xffffffffU);
    EXPECT_EQ(layout_for_new_file(bad).size(), bad.size());
  }
}

TEST(LayoutTest, layout_for_new_file_asks_for_any_first_ost) {
  for (const std::uint32_t magic : {k_v1, k_v3}) {
    std::string expected = plain(magic, 1 << 20);
    put<std::uint16_t>(expected, 30, 0xffff);
    EXPECT_EQ(layout_for_new_file(plain(magic, 1 << 20)), expected);
  }
}

// What an instantiated component has in that place is its generation, which a new file would take for an
// OST, or refuse.
TEST(LayoutTest, layout_for_new_file_asks_for_any_first_ost_of_instantiated_components) {
  std::string lov = composite({plain(k_v1, 1 << 20), plain(k_v3, 4 << 20)});
  put<std::uint32_t>(lov, 32 + 4, 0x10);  // LCME_FL_INIT
  const std::string made = layout_for_new_file(lov);
  std::string expected = lov;
  put<std::uint16_t>(expected, 32 + 2 * 48 + 30, 0xffff);
  EXPECT_EQ(made, expected);
}

// Whoever sets the flag makes the client ask the MDT for the file's HSM state.
TEST(LayoutTest, layout_for_new_file_is_not_that_of_a_released_one) {
  std::string released = plain(k_v1, 1 << 20);
  put<std::uint32_t>(released, 4, 0x80000001);
  EXPECT_EQ(layout_for_new_file(released), layout_for_new_file(plain(k_v1, 1 << 20)));
  EXPECT_EQ(layout_for_new_file(composite({plain(k_v3, 1 << 20), released})), composite({plain(k_v3, 1 << 20), plain(k_v1, 1 << 20)}));
}

TEST(LayoutTest, layout_for_new_file_leaves_others_alone) {
  for (const std::string& lov : {std::string(), std::string("short"), composite({plain(k_v1, 1 << 20)})})
    EXPECT_EQ(layout_for_new_file(lov), lov);
}

TEST(DefaultLayout, leaves_all_to_lustre) {
  const std::string layout = default_layout();
  EXPECT_EQ(layout.size(), 32U);
  EXPECT_EQ(stripe_size_of(layout), 0U);
  EXPECT_EQ(stripe_count_of(layout), 0U);
  EXPECT_EQ(layout_for_new_file(layout), layout) << "any OST";
}

}  // namespace
}  // namespace lhsm::lustre
