// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Starts where something stands in the way, and mounts with odd paths.
#include <sched.h>
#include <sys/mount.h>

#include "unit/emulator/emulator_fixture.hpp"

namespace lhsm::emulator {
namespace {

class StartTest : public EmulatorTest {
 protected:
  /// A failed start says one line, and which directory it is about.
  void refuses(const std::string& command, const std::string& reason) const {
    const auto output = shell(command);
    EXPECT_EQ(output.code, 1) << command;
    EXPECT_EQ(std::count(output.text.begin(), output.text.end(), '\n'), 1) << output.text;
    EXPECT_TRUE(output.text.starts_with("lhsm_emulator: ")) << output.text;
    EXPECT_NE(output.text.find(reason), std::string::npos) << output.text;
  }
  /// Start an emulator on `directory`, let a file go through it by `path_in` it, and stop it.
  void works_at(const std::string& directory, const std::string& path_in) {
    ASSERT_EQ(emulator("stop " + quoted(mount)), 0);
    mount = directory;
    start();
    const auto path = path_in + "/a file\nof two lines \xc3\xa9";
    std::ofstream(path) << "text";
    EXPECT_EQ(state(path), 0U);
    archive(path);
    lu_fid fid{};
    ASSERT_EQ(llapi_path2fid(path.c_str(), &fid), 0);
    const auto output = shell("cd / && lfs hsm_release " + quoted(path) + " && lfs fid2path " + quoted(mount) + " " +
                              from_abi(fid).bracketed() + " && lfs hsm_state " + quoted(path));
    EXPECT_EQ(output.code, 0) << output.text;
    EXPECT_EQ(output.text, std::filesystem::canonical(path).native() + "\n" + path +
                               ": (0x0000000d) released exists archived, archive_id:1\n");
    EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  }
};

TEST_F(StartTest, twice) { refuses("lhsm_emulator start " + quoted(mount), "already running"); }

TEST_F(StartTest, over_a_stale_socket) {
  kill_daemon();
  EXPECT_TRUE(std::filesystem::exists(mount + "/.lustre/socket"));
  EXPECT_EQ(shell("lhsm_emulator status " + quoted(mount)).text, "stopped\n");
  start();
  EXPECT_EQ(shell("lhsm_emulator status " + quoted(mount)).code, 0);
}

TEST_F(StartTest, in_a_bad_place) {
  make("file", 1);
  refuses("lhsm_emulator start " + quoted(base + "/mnt/file"), base + "/mnt/file");
  refuses("lhsm_emulator start " + quoted(mount + "/inside"), "lies inside");
  refuses("lhsm_emulator stop " + quoted(base + "/none"), base + "/none");
  refuses("lhsm_emulator stop " + quoted(base), "no emulated file system");
  refuses("lhsm_emulator status " + quoted(base), "no emulated file system");
  refuses("lhsm_emulator start /proc/none", "/proc/none");
  refuses("lhsm_emulator start " + quoted(base + "/x") + " --fsname toolongname", "toolongname");
  EXPECT_EQ(shell("lhsm_emulator start").code, 2);
  ASSERT_EQ(::chmod(base.c_str(), 0755), 0);
  if (shell("command -v setpriv").code == 0)
    refuses("setpriv --reuid 65534 --regid 65534 --clear-groups " + (programs() / "lhsm_emulator").native() +
                " start " + quoted(base + "/forbidden"),
            "Permission denied");
}

TEST_F(StartTest, on_a_file_system_without_attributes) {
  const auto point = base + "/ramfs";
  std::filesystem::create_directory(point);
  const int result = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", point.c_str(), "ramfs", 0, nullptr) != 0)
      return 77;
    refuses("lhsm_emulator start " + quoted(point + "/mnt"), "extended attributes");
    return HasFailure() ? 1 : 0;
  });
  if (result == 77) GTEST_SKIP() << "cannot mount";
  EXPECT_EQ(result, 0);
}

TEST_F(StartTest, with_a_long_path) {
  auto path = base;
  for (int i = 0; i < 4; ++i) path += "/" + std::string(60, static_cast<char>('a' + i));
  works_at(path, path);
}

TEST_F(StartTest, with_an_odd_path) { works_at(base + "/a b \"c\" \xc3\xa9\n$d", base + "/a b \"c\" \xc3\xa9\n$d"); }

TEST_F(StartTest, through_a_symbolic_link) {
  const auto link = base + "/link";
  ASSERT_EQ(::symlink((base + "/there").c_str(), link.c_str()), 0);
  std::filesystem::create_directory(base + "/there");
  works_at(base + "/there", link);
}

TEST_F(StartTest, through_dots) {
  std::filesystem::create_directories(mount + "/sub/deep");
  works_at(mount, mount + "/sub/./deep/..");
  const auto output = shell("cd " + quoted(mount + "/sub") +
                            " && echo 1 > g && lfs hsm_state g ./g ../sub/g && lhsm_emulator status .. > /dev/null");
  EXPECT_EQ(output.code, 0) << output.text;
  EXPECT_EQ(output.text, "g: (0x00000000)\n./g: (0x00000000)\n../sub/g: (0x00000000)\n");
}

}  // namespace
}  // namespace lhsm::emulator
