// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/control_file.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "lhsmtool_mpi/base/size.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::cli {
namespace {

TEST(ControlsTest, ReadsTheBandwidth) {
  EXPECT_EQ(parse_controls("bandwidth=100M\n")->bandwidth, 100 * k_MiB);
  EXPECT_EQ(parse_controls("# of today\n\n  bandwidth = 3 \r\n")->bandwidth, 3 * k_MiB);
  EXPECT_EQ(parse_controls("bandwidth=1G\nbandwidth=0")->bandwidth, 0U);
  EXPECT_EQ(parse_controls("")->bandwidth, std::nullopt);
  EXPECT_EQ(parse_controls("#bandwidth=1")->bandwidth, std::nullopt);
}

TEST(ControlsTest, ReadsTheLimitsOfAJob) {
  const auto controls = parse_controls("max-files-per-second = 20\nlimit-action=restore=5, archive=7\n");
  ASSERT_TRUE(controls);
  EXPECT_EQ(controls->files_per_second, 20U);
  EXPECT_EQ(controls->action_limits, (ActionLimits{{"restore", 5}, {"archive", 7}}));
  EXPECT_EQ(controls->bandwidth, std::nullopt);
  EXPECT_EQ(parse_controls("max-files-per-second=0")->files_per_second, 0U);
  EXPECT_EQ(parse_controls("limit-action=restore=0,remove=3")->action_limits, (ActionLimits{{"remove", 3}}));
  EXPECT_EQ(parse_controls("limit-action=release=1,import=2")->action_limits, (ActionLimits{{"release", 1}, {"import", 2}}));
  EXPECT_EQ(parse_controls("limit-action=")->action_limits, ActionLimits{});
}

TEST(ControlsTest, RefusesWhatItDoesNotUnderstandAndNamesTheLine) {
  for (const char* text : {"bandwidth", "bandwidth=", "bandwidth=fast", "speed=1M", "=", "bandwidth=1M 2M", "\xff\xfe", "max-files-per-second=",
                           "max-files-per-second=-1", "max-files-per-second=1.5", "max-files-per-second=99999999999999999999",
                           "limit-action=restore", "limit-action=restore=", "limit-action=cancel=1", "limit-action=restore=1,",
                           "limit-action=,restore=1", "limit-action=restore=x"}) {
    const auto controls = parse_controls(std::string("# comment\n") + text);
    ASSERT_FALSE(controls) << text;
    EXPECT_EQ(controls.error().sys_errno, EINVAL);
    EXPECT_NE(controls.error().subject.find("line 2"), std::string::npos) << controls.error().describe();
  }
}

TEST(ControlFileTest, AppliesTheFileNowAndAfterEachChange) {
  test::TempDir dir;
  const std::string path = dir / "controls";
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::uint64_t> applied;
  EXPECT_EQ(watch_control_file("", [](const Controls&) {}), nullptr);
  test::write_file(path, "bandwidth=1M\n");
  const auto watch = watch_control_file(path, [&](const Controls& controls) {
    const std::lock_guard lock(mutex);
    applied.push_back(controls.bandwidth.value_or(77));
    changed.notify_all();
  });
  ASSERT_EQ(applied, std::vector{k_MiB}) << "before the run starts";
  test::write_file(path, "nonsense\n");
  std::filesystem::remove(path);
  test::write_file(path, "bandwidth=512K\n");
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return applied.size() == 2; }));
  EXPECT_EQ(applied.back(), 512 * k_KiB);
}

}  // namespace
}  // namespace lhsm::cli
