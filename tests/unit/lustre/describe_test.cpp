// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lustre/describe.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>

#include "lhsmtool_mpi/base/fd.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::lustre {
namespace {

/// What a file system answers; of one file, as the table has no place for more.
struct Answers {
  Fid fid{0x200000401, 7, 0};
  abi::hsm_user_state state{abi::HS_EXISTS | abi::HS_ARCHIVED, 3, 0, 0, {}};
  int project_errno = 0;  // of LL_IOC_PROJECT
  int old_project_errno = 0;  // of FS_IOC_FSGETXATTR
  int asked = 0;
};
Answers g_answers;

int fake_ioctl(int, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (request == abi::LL_IOC_PROJECT) {
    EXPECT_EQ(static_cast<abi::lu_project*>(argument)->project_type, abi::LU_PROJECT_GET);
    errno = g_answers.project_errno;
    if (errno != 0) return -1;
    static_cast<abi::lu_project*>(argument)->project_id = 42;
    return 0;
  }
  if (request == FS_IOC_FSGETXATTR) {
    EXPECT_NE(g_answers.project_errno, 0) << "asked although it was answered already";
    errno = g_answers.old_project_errno;
    if (errno != 0) return -1;
    static_cast<struct fsxattr*>(argument)->fsx_projid = 43;
    return 0;
  }
  EXPECT_EQ(request, abi::LL_IOC_HSM_STATE_GET);
  ++g_answers.asked;
  std::memcpy(argument, &g_answers.state, sizeof g_answers.state);
  return 0;
}

int fake_fd2fid(int, abi::lu_fid* fid) {
  *fid = {g_answers.fid.seq, g_answers.fid.oid, g_answers.fid.ver};
  return 0;
}

ssize_t fake_fgetxattr(int, const char*, void*, std::size_t) {
  errno = ENODATA;
  return -1;
}

class DescriberTest : public ::testing::TestWithParam<KnownKind> {
 protected:
  void SetUp() override {
    g_answers = {};
    m_api.ioctl = fake_ioctl;
    m_api.fd2fid = fake_fd2fid;
    m_api.fgetxattr = fake_fgetxattr;
    test::write_file(m_dir / "file", "12345");
    m_directory = Fd(::open(m_dir.str().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  [[nodiscard]] Outcome<FileFacts> describe(const char* name) {
    return Describer(m_api).by_name(*m_directory, name, GetParam());
  }
  test::TempDir m_dir;
  Fd m_directory;
  LlapiTable m_api{};
};

TEST_P(DescriberTest, asks_the_file_system_and_no_xattr_that_may_be_old) {
  const auto facts = describe("file");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->fid, g_answers.fid);
  EXPECT_EQ(facts->hsm_state, abi::HS_EXISTS | abi::HS_ARCHIVED);
  EXPECT_EQ(facts->archive_id, 3U);
  EXPECT_EQ(facts->project_id, 42U);
  EXPECT_EQ(facts->attributes.st_size, 5);
  EXPECT_EQ(facts->stripe_count, 0U);  // no layout
  EXPECT_EQ(g_answers.asked, 1);
}

TEST_P(DescriberTest, where_there_are_no_projects_they_are_0) {
  for (const int sys_errno : {ENOTTY, EOPNOTSUPP}) {
    g_answers.project_errno = g_answers.old_project_errno = sys_errno;
    EXPECT_EQ(describe("file").value().project_id, 0U);
  }
  g_answers.old_project_errno = EIO;
  EXPECT_EQ(describe("file").error().sys_errno, EIO);
  g_answers.project_errno = EACCES;
  EXPECT_EQ(describe("file").error().sys_errno, EACCES);
}

TEST_P(DescriberTest, an_old_lustre_is_asked_for_its_project_as_it_knows_to_tell) {
  g_answers.project_errno = ENOTTY;
  EXPECT_EQ(describe("file").value().project_id, 43U);
}

TEST_P(DescriberTest, of_what_is_no_file_there_are_only_attributes) {
  std::filesystem::create_symlink("file", m_dir / "link");
  ASSERT_EQ(::mkfifo((m_dir / "fifo").c_str(), 0600), 0);
  const auto link = describe("link");
  ASSERT_TRUE(link);
  EXPECT_TRUE(S_ISLNK(link->attributes.st_mode));
  const auto fifo = describe("fifo");  // does not wait for a writer
  ASSERT_TRUE(fifo);
  EXPECT_TRUE(S_ISFIFO(fifo->attributes.st_mode));
  EXPECT_EQ(g_answers.asked, 0);
}

TEST_P(DescriberTest, what_is_gone_is_an_error) {
  const auto gone = describe("gone");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().sys_errno, ENOENT);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DescriberTest, ::testing::Values(KnownKind::unknown, KnownKind::regular_file),
                         [](const auto& kind) { return kind.param == KnownKind::unknown ? "unknown" : "regular_file"; });

}  // namespace
}  // namespace lhsm::lustre
