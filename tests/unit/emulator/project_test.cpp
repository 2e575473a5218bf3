// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Projects, and what a file keeps of its attributes over both ends of a restore.
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "unit/emulator/emulator_fixture.hpp"

namespace lhsm::emulator {
namespace {

class ProjectTest : public EmulatorTest {
 protected:
  static fsxattr attributes_of(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    fsxattr attributes{};
    EXPECT_EQ(::ioctl(*fd, FS_IOC_FSGETXATTR, &attributes), 0);
    return attributes;
  }
  static std::string acl_of(const std::string& path) {
    char value[256];
    const auto size = ::getxattr(path.c_str(), "system.posix_acl_access", value, sizeof value);
    return size < 0 ? std::strerror(errno) : std::string(value, static_cast<std::size_t>(size));
  }
  /// user::rw-, user:1234:r--, group::r--, mask::r--, other::---
  static std::string example_acl() {
    struct [[gnu::packed]] Entry {
      std::uint16_t tag;
      std::uint16_t permissions;
      std::uint32_t id;
    };
    const std::uint32_t version = 2;
    const Entry entries[] = {{1, 6, ~0U}, {2, 4, 1234}, {4, 4, ~0U}, {0x10, 4, ~0U}, {0x20, 0, ~0U}};
    return std::string(reinterpret_cast<const char*>(&version), sizeof version) +
           std::string(reinterpret_cast<const char*>(entries), sizeof entries);
  }
};

TEST_F(ProjectTest, lfs_project_lists_sets_and_clears) {
  ASSERT_EQ(::mkdir((mount + "/d").c_str(), 0755), 0);
  ASSERT_EQ(::mkdir((mount + "/d/sub").c_str(), 0755), 0);
  make("d/sub/f", 1);
  const auto in_mount = [&](const std::string& command) { return shell("cd " + quoted(mount) + " && " + command); };
  EXPECT_EQ(in_mount("lfs project d").text, "    0 - d/sub\n");
  EXPECT_EQ(in_mount("lfs project -s -p 1001 d").code, 0);
  EXPECT_EQ(in_mount("lfs project -d d").text, " 1001 P d\n");
  EXPECT_EQ(in_mount("lfs project d/sub").text, "    0 - d/sub/f\n");
  EXPECT_EQ(in_mount("lfs project -c -r d").text, "d/sub/f - project identifier is not set (inode=0, tree=1001)\n");
  EXPECT_EQ(in_mount("lfs project -p 1001 -r d").code, 0);
  EXPECT_EQ(in_mount("lfs project d/sub/f").text, " 1001 - d/sub/f\n");
  EXPECT_EQ(in_mount("lfs project -C -k -r d && lfs project -d d").text, " 1001 - d\n");
  EXPECT_EQ(in_mount("lfs project -C -r d && lfs project -d d d/sub/f").text, "    0 - d\n    0 - d/sub/f\n");
  EXPECT_EQ(in_mount("lfs project -p many d").code, 4);
  EXPECT_EQ(in_mount("lfs project -C -p 1 d").code, 4);
  EXPECT_EQ(in_mount("lfs project none").code, ENOENT);
}

TEST_F(ProjectTest, root_reads_it_as_an_xattr_of_every_file_and_directory) {
  if (::geteuid() != 0) GTEST_SKIP() << "root only";
  const auto path = make("f", 1);
  const auto project_of = [](const std::string& name) {
    char value[32];
    const auto size = ::getxattr(name.c_str(), "trusted.projid", value, sizeof value);
    return size < 0 ? std::strerror(errno) : std::string(value, static_cast<std::size_t>(size));
  };
  EXPECT_EQ(project_of(mount), "0");
  EXPECT_EQ(project_of(path), "0") << "a file without a FID";
  EXPECT_EQ(shell("lfs path2fid " + quoted(path)).code, 0);
  EXPECT_EQ(project_of(path), "0");
  EXPECT_EQ(shell("lfs project -p 4294967294 " + quoted(path)).code, 0);
  EXPECT_EQ(project_of(path), "4294967294");
  EXPECT_EQ(::getxattr(path.c_str(), "trusted.projid", nullptr, 0), 10);
  EXPECT_EQ(project_of("/"), std::strerror(ENODATA)) << "the kernel's answer";
}

TEST_F(ProjectTest, the_ioctls_show_and_set_it) {
  const auto path = make("f", 1);
  auto attributes = attributes_of(path);
  EXPECT_EQ(attributes.fsx_projid, 0U);
  attributes.fsx_projid = 77;
  {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::ioctl(*fd, FS_IOC_FSSETXATTR, &attributes), 0);
  }
  EXPECT_EQ(attributes_of(path).fsx_projid, 77U);
  {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    abi::lu_project project{};
    project.project_type = abi::LU_PROJECT_GET;
    ASSERT_EQ(::ioctl(*fd, abi::LL_IOC_PROJECT, &project), 0);
    EXPECT_EQ(project.project_id, 77U);
    project.project_type = abi::LU_PROJECT_SET;
    project.project_id = 78;
    ASSERT_EQ(::ioctl(*fd, abi::LL_IOC_PROJECT, &project), 0);
    EXPECT_EQ(attributes_of(path).fsx_projid, 78U);
    attributes.fsx_projid = 77;
    ASSERT_EQ(::ioctl(*fd, FS_IOC_FSSETXATTR, &attributes), 0);
  }
  EXPECT_EQ(shell("lfs project " + quoted(path)).text, "   77 - " + path + "\n");
  char list[256];
  const auto size = ::listxattr(path.c_str(), list, sizeof list);
  EXPECT_EQ(std::string_view(list, static_cast<std::size_t>(size)).find("project"), std::string_view::npos);
}

TEST_F(ProjectTest, project_and_acl_survive_both_ends_of_a_restore) {
  for (const std::size_t size : {std::size_t{1000}, std::size_t{300'000}}) {
    const auto path = make("f" + std::to_string(size), size);
    const auto acl = example_acl();
    ASSERT_EQ(::setxattr(path.c_str(), "system.posix_acl_access", acl.data(), acl.size(), 0), 0);
    ASSERT_EQ(::setxattr(path.c_str(), "user.mine", "kept", 4, 0), 0);
    ASSERT_EQ(shell("lfs project -p 42 " + quoted(path)).code, 0);
    const auto before = stat_of(path);
    archive_and_release(path);
    request(path, HUA_RESTORE);
    const auto item = receive();
    hsm_copyaction_private* action = nullptr;
    ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, 0, false), 0);
    {
      const Fd fd(llapi_hsm_action_get_fd(action));
      const std::string text(size, 'r');
      ASSERT_EQ(::pwrite(*fd, text.data(), size, 0), static_cast<ssize_t>(size));
      // As a copytool may have it, but the volatile's attributes are not the file's.
      ASSERT_EQ(::fsetxattr(*fd, "user.volatile", "1", 1, 0), 0);
    }
    ASSERT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
    EXPECT_EQ(content(path), std::string(size, 'r'));
    EXPECT_EQ(attributes_of(path).fsx_projid, 42U) << size;
    EXPECT_EQ(acl_of(path), acl) << size;
    EXPECT_EQ(stat_of(path).st_mode, before.st_mode) << size;
    char value[8];
    EXPECT_EQ(::getxattr(path.c_str(), "user.mine", value, sizeof value), 4);
    EXPECT_EQ(::getxattr(path.c_str(), "user.volatile", value, sizeof value), -1) << size;
    EXPECT_EQ(stat_of(path).st_ino != before.st_ino, size > 200'000) << "both ways are looked at";
  }
}

}  // namespace
}  // namespace lhsm::emulator
