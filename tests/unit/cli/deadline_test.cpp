// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/deadline.hpp"

#include <gtest/gtest.h>

#include <map>

namespace lhsm::cli {
namespace {

using std::chrono::seconds;

const WallTime k_now{seconds(1'800'000'000)};

TEST(DeadlineTest, ReadsEpochsAndSpansFromNow) {
  const std::map<std::string, WallTime> cases{
      {"1800000123", WallTime(seconds(1'800'000'123))},
      {"0", WallTime(seconds(0))},
      {"+90", k_now + seconds(90)},
      {"+0", k_now},
      {"00:00:10", k_now + seconds(10)},
      {"04:30:00", k_now + seconds(4 * 3600 + 1800)},
      {"120:00:00", k_now + seconds(120 * 3600)},
      {"2-01:00:00", k_now + seconds(49 * 3600)},
  };
  for (const auto& [text, expected] : cases) {
    const auto read = parse_deadline(text, k_now);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, expected) << text;
  }
  const auto none = parse_deadline("none", k_now);
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
}

TEST(DeadlineTest, RefusesWhatIsNoTime) {
  for (const char* text : {"", "+", "soon", "-5", "+-5", "10:00", ":", "::", "1:2:3:4", "00:60:00", "00:00:60", "1-", "-1:00:00",
                           "1-2-03:00:00", " 5", "5 ", "1e9", "99999999999999999999", "+99999999999999999999",
                           "9999999999999-00:00:00", "99999999999999:00:00", "0x10"}) {
    const auto read = parse_deadline(text, k_now);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().sys_errno, EINVAL) << text;
  }
}

TEST(DeadlineTest, LearnsFromTheScheduler) {
  std::map<std::string, std::string> environment;
  const auto variable = [&environment](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  };
  EXPECT_EQ(scheduler_deadline(variable), std::nullopt);
  environment["SLURM_JOB_END_TIME"] = "1800003600";
  EXPECT_EQ(scheduler_deadline(variable), k_now + seconds(3600));
  for (const char* text : {"", "0", "Unknown", "-1"}) {
    environment["SLURM_JOB_END_TIME"] = text;
    EXPECT_EQ(scheduler_deadline(variable), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace lhsm::cli
