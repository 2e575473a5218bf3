// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/settings.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "core/admission.hpp"
#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::emulator {
namespace {

TEST(SettingsTest, set_refuses_zero_and_unknown) {
  Settings settings;
  EXPECT_EQ(settings.set("max_requests", "300"), 0);
  EXPECT_EQ(settings.max_requests, 300U);
  EXPECT_EQ(settings.set("max_requests", "0"), -EINVAL);
  EXPECT_EQ(settings.set("loop_period", "-1"), -EINVAL);
  EXPECT_EQ(settings.set("loop_period", "5x"), -EINVAL);
  EXPECT_EQ(settings.set("policy", "XYZ"), -EINVAL);
  EXPECT_EQ(settings.set("other", "1"), -ENOENT);
}

TEST(SettingsTest, policy_words_with_and_without_sign) {
  Settings settings;
  std::string text;
  ASSERT_TRUE(settings.get("policy", text));
  EXPECT_EQ(text, "NonBlockingRestore [NoRetryAction]\n");
  EXPECT_EQ(settings.set("policy", "+NBR"), 0);
  ASSERT_TRUE(settings.get("policy", text));
  EXPECT_EQ(text, "[NonBlockingRestore] [NoRetryAction]\n");
  EXPECT_EQ(settings.set("policy", "NBR"), 0);
  EXPECT_EQ(settings.policy, POLICY_NON_BLOCKING_RESTORE);
  EXPECT_EQ(settings.set("policy", "-NBR"), 0);
  EXPECT_EQ(settings.policy, 0U);
}

TEST(AdmissionTest, change_flags_keeps_states_consistent) {
  using namespace abi;
  HsmState state;
  EXPECT_EQ(change_flags(state, HS_DIRTY, 0, 0, true), -EINVAL);
  EXPECT_EQ(change_flags(state, HS_RELEASED, 0, 0, true), -EINVAL);
  EXPECT_EQ(change_flags(state, 0x80000, 0, 0, true), -EINVAL);
  EXPECT_EQ(change_flags(state, HS_EXISTS, 0, 0, false), -EPERM);
  EXPECT_EQ(change_flags(state, HS_NOARCHIVE, 0, 5, true), 0);
  EXPECT_EQ(state, HsmState{}) << "an archive id without EXISTS: success, and nothing is saved";
  EXPECT_EQ(change_flags(state, HS_EXISTS | HS_ARCHIVED, 0, 5, true), 0);
  EXPECT_EQ(state.archive_id, 5U);
  EXPECT_EQ(check_release(state, 1), -EPERM) << "no data version was recorded";
}

}  // namespace
}  // namespace lhsm::emulator
