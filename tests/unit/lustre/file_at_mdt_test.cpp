// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lustre/file_at_mdt.hpp"

#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <filesystem>

#include "support/temp_dir.hpp"

namespace lhsm::lustre {
namespace {

struct Mdt {
  int sys_errno = 0;
  int failures = 0;  ///< of the next calls; then they succeed
  std::string asked_for;
  std::string layout = "the layout";
  int calls = 0;
  bool tells_size = true;
};
Mdt g_mdt;

int fake_ioctl(int, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  EXPECT_EQ(request, abi::IOC_MDC_GETFILEINFO_V2);
  ++g_mdt.calls;
  g_mdt.asked_for = static_cast<const char*>(argument);
  if (g_mdt.sys_errno != 0 && g_mdt.failures-- > 0) {
    errno = g_mdt.sys_errno;
    return -1;
  }
  abi::lov_user_mds_data data{};
  data.lmd_stx.stx_mask = STATX_BASIC_STATS & ~(g_mdt.tells_size ? 0U : STATX_SIZE);
  data.lmd_stx.stx_mode = S_IFREG | 0640;
  data.lmd_stx.stx_size = 1ULL << 40U;
  data.lmd_stx.stx_uid = 1000;
  data.lmd_stx.stx_gid = 1001;
  data.lmd_stx.stx_mtime.tv_sec = -5;
  data.lmd_stx.stx_ctime.tv_sec = 1ULL << 33U;
  data.lmd_lmmsize = static_cast<std::uint32_t>(g_mdt.layout.size());
  std::memcpy(argument, &data, sizeof data);
  std::memcpy(static_cast<char*>(argument) + sizeof data, g_mdt.layout.data(), g_mdt.layout.size());
  return 0;
}

int fake_fsname(const char*, char* fsname) {
  std::strcpy(fsname, "lustre");
  return 0;
}

class FileAtMdtTest : public ::testing::Test {
 protected:
  FileAtMdtTest() {
    g_mdt = {};
    m_api.ioctl = fake_ioctl;
    m_api.search_fsname = fake_fsname;
    std::filesystem::create_directories(m_dir / ".lustre/fid");
    auto mount = MountDirectory::open(m_api, m_dir.str());
    EXPECT_TRUE(mount) << mount.error().describe();
    m_mount = std::move(*mount);
  }
  test::TempDir m_dir;
  LlapiTable m_api{};
  std::unique_ptr<MountDirectory> m_mount;
  MdtAsker m_asker{m_api};
  static constexpr Fid k_fid{0x200000401, 5, 0};
};

TEST_F(FileAtMdtTest, is_asked_by_fid) {
  const auto file = m_asker.ask(*m_mount, k_fid);
  ASSERT_TRUE(file) << file.error().describe();
  ASSERT_TRUE(*file);
  EXPECT_EQ(g_mdt.asked_for, "0x200000401:0x5:0x0");
  EXPECT_EQ((*file)->attributes.st_size, std::int64_t{1} << 40);
  EXPECT_EQ((*file)->attributes.st_mode, S_IFREG | 0640U);
  EXPECT_EQ((*file)->attributes.st_uid, 1000U);
  EXPECT_EQ((*file)->attributes.st_gid, 1001U);
  EXPECT_EQ((*file)->attributes.st_mtim.tv_sec, -5);
  EXPECT_EQ((*file)->attributes.st_ctim.tv_sec, std::int64_t{1} << 33);
  EXPECT_EQ((*file)->layout, "the layout");
}

TEST_F(FileAtMdtTest, takes_the_longest_layout_and_none) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{65536}}) {
    g_mdt.layout.assign(size, 'x');
    const auto file = m_asker.ask(*m_mount, k_fid);
    ASSERT_TRUE(file && *file);
    EXPECT_EQ((*file)->layout, g_mdt.layout);
  }
}

TEST_F(FileAtMdtTest, an_older_lustre_tells_nothing) {
  g_mdt.sys_errno = ENOTTY;
  g_mdt.failures = 1;
  const auto file = m_asker.ask(*m_mount, k_fid);
  ASSERT_TRUE(file);
  EXPECT_FALSE(*file);
}

TEST_F(FileAtMdtTest, without_a_size_it_tells_nothing) {
  g_mdt.tells_size = false;
  const auto file = m_asker.ask(*m_mount, k_fid);
  ASSERT_TRUE(file);
  EXPECT_FALSE(*file);
}

TEST_F(FileAtMdtTest, a_mounted_subdirectory_tells_nothing) {
  std::filesystem::remove_all(m_dir / ".lustre");
  const auto file = m_asker.ask(*m_mount, k_fid);
  ASSERT_TRUE(file);
  EXPECT_FALSE(*file);
  EXPECT_EQ(g_mdt.calls, 0);
}

TEST_F(FileAtMdtTest, what_is_gone_is_an_error_of_the_file) {
  g_mdt.sys_errno = ENOENT;
  g_mdt.failures = 1;
  const auto file = m_asker.ask(*m_mount, k_fid);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().kind, ErrorKind::not_found);
}

/// As of a mount that died: the next attempt opens the directory of names below the one that is there now.
TEST_F(FileAtMdtTest, after_an_error_the_names_are_opened_anew) {
  ASSERT_TRUE(m_asker.ask(*m_mount, k_fid));
  g_mdt.sys_errno = EIO;
  g_mdt.failures = 2;  // also after the mount was looked at
  EXPECT_EQ(m_asker.ask(*m_mount, k_fid).error().sys_errno, EIO);
  std::filesystem::remove_all(m_dir / ".lustre");  // an open directory would not notice
  const auto file = m_asker.ask(*m_mount, k_fid);
  ASSERT_TRUE(file);
  EXPECT_FALSE(*file);
}

}  // namespace
}  // namespace lhsm::lustre
