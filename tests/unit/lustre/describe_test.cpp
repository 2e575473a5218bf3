// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lustre/describe.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
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
  Fid lma{0x200000401, 7, 0};
  Fid fid{0x200000401, 7, 0};
  int lma_errno = 0;
  abi::hsm_attrs hsm{0, abi::HS_EXISTS | abi::HS_ARCHIVED, 3, 0};
  int hsm_errno = 0;
  abi::hsm_user_state state{abi::HS_EXISTS | abi::HS_ARCHIVED, 3, 0, 0, {}};
  int ioctls = 0;
};
Answers g_answers;

int fake_ioctl(int, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  EXPECT_EQ(request, abi::LL_IOC_HSM_STATE_GET);
  ++g_answers.ioctls;
  std::memcpy(argument, &g_answers.state, sizeof g_answers.state);
  return 0;
}

int fake_fd2fid(int, abi::lu_fid* fid) {
  *fid = {g_answers.fid.seq, g_answers.fid.oid, g_answers.fid.ver};
  return 0;
}

ssize_t fake_lgetxattr(const char*, const char* name, void* value, std::size_t size) {
  struct {
    std::uint64_t flags = 0;
    abi::lu_fid self{};
  } lma;
  lma.self = {g_answers.lma.seq, g_answers.lma.oid, g_answers.lma.ver};
  const bool is_lma = std::string_view(name) == "trusted.lma";
  const bool is_hsm = std::string_view(name) == "trusted.hsm";
  errno = is_lma ? g_answers.lma_errno : is_hsm ? g_answers.hsm_errno : ENODATA;
  if (errno != 0) return -1;
  EXPECT_EQ(size, 24U);
  if (is_lma)
    std::memcpy(value, &lma, sizeof lma);
  else
    std::memcpy(value, &g_answers.hsm, sizeof g_answers.hsm);
  return 24;
}

class DescriberTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "trusted names are root's";
    g_answers = {};
    m_api.ioctl = fake_ioctl;
    m_api.fd2fid = fake_fd2fid;
    m_api.lgetxattr = fake_lgetxattr;
    test::write_file(m_dir / "file", "12345");
    m_directory = Fd(::open(m_dir.str().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  test::TempDir m_dir;
  Fd m_directory;
  LlapiTable m_api{};
};

TEST_F(DescriberTest, opens_no_file_once_the_answers_have_been_the_same) {
  Describer describer(m_api);
  for (int i = 0; i < 200; ++i) {
    const auto facts = describer.by_name(*m_directory, "file");
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->fid, g_answers.fid);
    EXPECT_EQ(facts->hsm_state, abi::HS_EXISTS | abi::HS_ARCHIVED);
    EXPECT_EQ(facts->archive_id, 3U);
    EXPECT_EQ(facts->attributes.st_size, 5);
  }
  EXPECT_EQ(g_answers.ioctls, 64);
}

TEST_F(DescriberTest, a_file_without_the_xattr_has_no_state) {
  Describer describer(m_api);
  g_answers.hsm_errno = ENODATA;
  g_answers.state = {};
  for (int i = 0; i < 200; ++i) EXPECT_EQ(describer.by_name(*m_directory, "file").value().hsm_state, 0U);
  EXPECT_EQ(g_answers.ioctls, 64);
}

TEST_F(DescriberTest, believes_the_file_system_where_the_answers_differ) {
  for (const bool is_state : {true, false}) {
    g_answers = {};
    if (is_state)
      g_answers.hsm_errno = ENODATA;  // hidden
    else
      g_answers.lma.oid = 8;
    Describer describer(m_api);
    for (int i = 0; i < 200; ++i) {
      const auto facts = describer.by_name(*m_directory, "file").value();
      EXPECT_EQ(facts.hsm_state, abi::HS_EXISTS | abi::HS_ARCHIVED);
      EXPECT_EQ(facts.fid, g_answers.fid);
    }
    EXPECT_EQ(g_answers.ioctls, 200);
  }
}

TEST_F(DescriberTest, opens_files_where_trusted_names_are_not_to_be_had) {
  g_answers.lma_errno = EOPNOTSUPP;
  Describer describer(m_api);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(describer.by_name(*m_directory, "file").value().fid, g_answers.fid);
  EXPECT_EQ(g_answers.ioctls, 200);
}

TEST_F(DescriberTest, of_what_is_no_file_there_are_only_attributes) {
  std::filesystem::create_symlink("file", m_dir / "link");
  Describer describer(m_api);
  const auto facts = describer.by_name(*m_directory, "link");
  ASSERT_TRUE(facts);
  EXPECT_TRUE(S_ISLNK(facts->attributes.st_mode));
  EXPECT_EQ(g_answers.ioctls, 0);
  const auto gone = describer.by_name(*m_directory, "gone");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().sys_errno, ENOENT);
}

}  // namespace
}  // namespace lhsm::lustre
