// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lustre/project.hpp"

#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <cstdarg>

#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::lustre {
namespace {

/// Two open files, 0 and 1.
struct Files {
  std::array<std::uint32_t, 2> projects{};
  int get_errno = 0;      ///< of LL_IOC_PROJECT
  int old_get_errno = 0;  ///< of FS_IOC_FSGETXATTR
  int set_errno = 0;
  int sets = 0;
};
Files g_files;

int answer(int sys_errno) {
  errno = sys_errno;
  return sys_errno == 0 ? 0 : -1;
}

int fake_ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  const auto file = static_cast<std::size_t>(fd);
  if (request == abi::LL_IOC_PROJECT) {
    static_cast<abi::lu_project*>(argument)->project_id = g_files.projects.at(file);
    return answer(g_files.get_errno);
  }
  auto* const attributes = static_cast<struct fsxattr*>(argument);
  if (request == FS_IOC_FSGETXATTR) {
    attributes->fsx_projid = g_files.projects.at(file);
    attributes->fsx_xflags = FS_XFLAG_NODUMP;
    return answer(g_files.old_get_errno);
  }
  EXPECT_EQ(request, static_cast<unsigned long>(FS_IOC_FSSETXATTR));
  EXPECT_EQ(attributes->fsx_xflags, std::uint32_t{FS_XFLAG_NODUMP}) << "its flags are not ours to change";
  ++g_files.sets;
  if (g_files.set_errno == 0) g_files.projects.at(file) = attributes->fsx_projid;
  return answer(g_files.set_errno);
}

class FileProjectTest : public ::testing::Test {
 protected:
  FileProjectTest() {
    g_files = {};
    m_api.ioctl = fake_ioctl;
  }
  LlapiTable m_api;
};

TEST_F(FileProjectTest, an_open_file_gets_that_of_another) {
  g_files.projects = {7, 1001};
  ASSERT_TRUE(match_project(m_api, 0, 1));
  EXPECT_EQ(g_files.projects[0], 1001U);
  EXPECT_EQ(g_files.sets, 1);
  ASSERT_TRUE(match_project(m_api, 0, 1));
  EXPECT_EQ(g_files.sets, 1) << "it was asked for what it has";
}

TEST_F(FileProjectTest, an_old_lustre_is_asked_as_it_knows_to_tell) {
  g_files.projects = {0, 1001};
  g_files.get_errno = ENOTTY;
  ASSERT_TRUE(match_project(m_api, 0, 1));
  EXPECT_EQ(g_files.projects[0], 1001U);
}

TEST_F(FileProjectTest, where_there_are_none_nothing_is_done) {
  g_files.get_errno = ENOTTY;
  g_files.old_get_errno = EOPNOTSUPP;
  EXPECT_TRUE(match_project(m_api, 0, 1));
  EXPECT_EQ(g_files.sets, 0);
}

TEST_F(FileProjectTest, what_cannot_be_asked_or_set_is_an_error) {
  g_files.projects = {0, 1001};
  g_files.set_errno = EPERM;
  EXPECT_EQ(match_project(m_api, 0, 1).error().sys_errno, EPERM);
  g_files.get_errno = EIO;
  EXPECT_EQ(match_project(m_api, 0, 1).error().sys_errno, EIO);
}

}  // namespace
}  // namespace lhsm::lustre
