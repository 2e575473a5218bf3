// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/judge.hpp"

#include <gtest/gtest.h>

namespace lhsm::bulk {
namespace {

using namespace lhsm::abi;
using store::ItemAction;

constexpr std::uint32_t k_archived = HS_EXISTS | HS_ARCHIVED;
constexpr std::uint32_t k_released = k_archived | HS_RELEASED;

/// Of a file whose copy, if there is one, is in archive 1.
Verdict of(ItemAction action, std::uint32_t states, const std::vector<std::uint32_t>& archives = {}) {
  return judge(action, {states, (states & HS_EXISTS) != 0 ? 1U : 0U}, archives);
}

TEST(JudgeTest, archive) {
  EXPECT_EQ(of(ItemAction::archive, 0), Verdict::ask);
  EXPECT_EQ(of(ItemAction::archive, HS_EXISTS), Verdict::ask) << "begun, and failed";
  EXPECT_EQ(of(ItemAction::archive, k_archived), Verdict::already);
  EXPECT_EQ(of(ItemAction::archive, k_archived | HS_DIRTY), Verdict::ask);
  EXPECT_EQ(of(ItemAction::archive, k_released), Verdict::already);
  EXPECT_EQ(of(ItemAction::archive, HS_NOARCHIVE), Verdict::refused);
  EXPECT_EQ(of(ItemAction::archive, k_archived | HS_DIRTY, {1}), Verdict::ask);
  EXPECT_EQ(of(ItemAction::archive, k_archived | HS_DIRTY, {2}), Verdict::refused) << "it is in another archive";
  EXPECT_EQ(of(ItemAction::archive, k_archived, {1}), Verdict::already);
  EXPECT_EQ(of(ItemAction::archive, k_archived, {2}), Verdict::refused) << "who retires archive 1 on our word would lose it";
  EXPECT_EQ(why_refused(ItemAction::archive, {k_archived, 1}), "its copy is in an archive that -A does not name");
  EXPECT_EQ(why_refused(ItemAction::archive, {HS_NOARCHIVE, 0}), "marked noarchive");
  EXPECT_EQ(of(ItemAction::archive, k_released | HS_DIRTY), Verdict::refused) << "it has no data";
  EXPECT_EQ(why_refused(ItemAction::archive, {k_released | HS_DIRTY, 1}), "released without a good copy");
  EXPECT_EQ(of(ItemAction::archive, 0, {2}), Verdict::ask);
}

TEST(JudgeTest, restore) {
  EXPECT_EQ(of(ItemAction::restore, k_released), Verdict::ask);
  EXPECT_EQ(of(ItemAction::restore, k_archived), Verdict::already);
  EXPECT_EQ(of(ItemAction::restore, 0), Verdict::already);
  EXPECT_EQ(of(ItemAction::restore, k_released | HS_LOST), Verdict::refused);
  EXPECT_EQ(of(ItemAction::restore, k_released | HS_DIRTY), Verdict::refused);
  EXPECT_EQ(of(ItemAction::restore, k_archived | HS_DIRTY), Verdict::already);
  EXPECT_EQ(of(ItemAction::restore, HS_EXISTS | HS_RELEASED), Verdict::refused);
  EXPECT_EQ(of(ItemAction::restore, k_released, {3, 1}), Verdict::ask);
  EXPECT_EQ(of(ItemAction::restore, k_released, {2}), Verdict::refused) << "another archive may have an older object of it";
  EXPECT_EQ(why_refused(ItemAction::restore, {k_released, 1}), "its copy is in an archive that -A does not name");
}

TEST(JudgeTest, release) {
  EXPECT_EQ(of(ItemAction::release, k_archived), Verdict::ask);
  EXPECT_EQ(of(ItemAction::release, k_released), Verdict::already);
  for (const std::uint32_t bit : {HS_DIRTY, HS_NORELEASE, HS_LOST})
    EXPECT_EQ(of(ItemAction::release, k_archived | bit), Verdict::refused) << bit;
  EXPECT_EQ(of(ItemAction::release, HS_EXISTS), Verdict::refused);
}

TEST(JudgeTest, remove) {
  EXPECT_EQ(of(ItemAction::remove, k_archived), Verdict::ask);
  EXPECT_EQ(of(ItemAction::remove, HS_EXISTS), Verdict::ask);
  EXPECT_EQ(of(ItemAction::remove, 0), Verdict::already);
  EXPECT_EQ(of(ItemAction::remove, k_released), Verdict::refused) << "it is the only copy";
  EXPECT_EQ(of(ItemAction::remove, k_archived, {1}), Verdict::ask);
  EXPECT_EQ(of(ItemAction::remove, k_archived, {2}), Verdict::refused) << "the object would stay where it is";
  EXPECT_EQ(why_refused(ItemAction::remove, {k_archived, 1}), "its copy is in an archive that -A does not name");
}

}  // namespace
}  // namespace lhsm::bulk
