// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lustre/describe.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>
#include <map>
#include <utility>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/lustre/layout.hpp"
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
  std::map<std::string, std::string> xattrs;  ///< by path; a name that is not there: ENODATA
  std::string unreadable;                     ///< this one: EIO
  std::string mount_point;
  std::string missing_once;                   ///< this one: ENODATA, the next time it is asked for
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

ssize_t fake_getxattr(const char* path, const char* name, void* value, std::size_t size) {
  // What is asked is the file that was opened, whatever has its name by now; before that the mount point.
  EXPECT_TRUE(std::string_view(path).starts_with("/proc/self/fd/") || g_answers.mount_point == path) << path;
  const auto found = g_answers.xattrs.find(name);
  errno = g_answers.unreadable == name ? EIO : ENODATA;
  if (g_answers.missing_once == name) {
    g_answers.missing_once.clear();
    return -1;
  }
  if (found == g_answers.xattrs.end() || g_answers.unreadable == name) return -1;
  errno = ERANGE;
  if (size < found->second.size()) return -1;
  std::memcpy(value, found->second.data(), found->second.size());
  return static_cast<ssize_t>(found->second.size());
}

/// A directory with one file, and the table that answers for it.
class OneFile {
 protected:
  OneFile() {
    g_answers = {};
    m_api.ioctl = fake_ioctl;
    m_api.fd2fid = fake_fd2fid;
    m_api.fgetxattr = fake_fgetxattr;
    m_api.getxattr = fake_getxattr;
    test::write_file(m_dir / "file", "12345");
    m_directory = Fd(::open(m_dir.str().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  test::TempDir m_dir;
  Fd m_directory;
  LlapiTable m_api{};
};

class DescriberTest : public OneFile, public ::testing::TestWithParam<KnownKind> {
 protected:
  [[nodiscard]] Outcome<FileFacts> describe(const char* name) {
    return Describer(m_api).by_name(*m_directory, name, GetParam());
  }
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

template <class Content>
std::string bytes_of(const Content& content) {
  return {reinterpret_cast<const char*>(&content), sizeof content};
}

class XattrDescriberTest : public OneFile, public ::testing::Test {
 protected:
  void SetUp() override {
    const abi::lu_fid fid{0x200000402, 9, 0};
    std::string released = default_layout();
    released[7] = '\x80';  // the highest bit of the pattern
    g_answers.xattrs = {{"lustre.lov", released},
                        {"trusted.lma", std::string(8, '\0') + bytes_of(fid) + "of a later version"},
                        {"trusted.hsm", bytes_of(abi::hsm_attrs{0, abi::HS_EXISTS | abi::HS_RELEASED, 5, 77})},
                        {"trusted.projid", "1234567890"}};
    g_answers.mount_point = m_mount_point = m_dir.str();
  }
  [[nodiscard]] Outcome<FileFacts> describe(const char* name, FactsFrom from = FactsFrom::xattrs) {
    Describer describer(m_api);
    const Answers answers = g_answers;
    g_answers.xattrs["trusted.projid"] = "0";
    g_answers.unreadable.clear();
    EXPECT_TRUE(describer.expect_xattrs(m_mount_point));
    g_answers = answers;
    return describer.by_xattrs(*m_directory, name, from);
  }
  std::string m_mount_point;
};

TEST_F(XattrDescriberTest, the_xattrs_tell_and_the_file_is_not_opened) {
  const auto facts = describe("file");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->fid, (Fid{0x200000402, 9, 0}));
  EXPECT_EQ(facts->hsm_state, abi::HS_EXISTS | abi::HS_RELEASED);
  EXPECT_EQ(facts->archive_id, 5U);
  EXPECT_EQ(facts->project_id, 1234567890U);
  EXPECT_EQ(facts->attributes.st_size, 5);
  EXPECT_EQ(g_answers.asked, 0);
}

TEST_F(XattrDescriberTest, a_file_without_a_state_has_none) {
  g_answers.xattrs.erase("trusted.hsm");
  g_answers.xattrs["lustre.lov"] = default_layout();
  const auto facts = describe("file");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->hsm_state, 0U);
  EXPECT_EQ(facts->archive_id, 0U);
  EXPECT_EQ(g_answers.asked, 0);
}

TEST_F(XattrDescriberTest, a_file_of_another_mount_is_asked_for) {
  // Its client may be another one, which has forgotten nothing.
  g_answers.mount_point = m_mount_point = "/proc";
  EXPECT_EQ(describe("file").value().fid, g_answers.fid);
  EXPECT_EQ(g_answers.asked, 1);
  EXPECT_FALSE(describe("file", FactsFrom::xattrs_of_released).value().is_known_not_released);
}

TEST_F(XattrDescriberTest, who_is_shown_no_xattrs_is_told_so) {
  g_answers.xattrs.erase("trusted.projid");
  EXPECT_EQ(Describer(m_api).expect_xattrs(m_mount_point).error().sys_errno, EOPNOTSUPP);
}

TEST_F(XattrDescriberTest, a_state_that_was_missing_for_a_moment_is_found) {
  g_answers.missing_once = "trusted.hsm";
  EXPECT_EQ(describe("file").value().archive_id, 5U);
  EXPECT_EQ(g_answers.asked, 0);
}

TEST_F(XattrDescriberTest, a_layout_longer_than_usual_is_read) {
  std::string& lov = g_answers.xattrs["lustre.lov"];
  lov[24] = 1;  // stripe size
  lov += std::string(1500, '\0');
  EXPECT_EQ(describe("file").value().stripe_size, 1U);
  EXPECT_EQ(g_answers.asked, 0);
}

TEST_F(XattrDescriberTest, where_one_of_them_does_not_tell_the_servers_do) {
  const auto expect_asked = [this](const std::string& why) {
    g_answers.asked = 0;
    const auto facts = describe("file");
    ASSERT_TRUE(facts) << why;
    EXPECT_EQ(g_answers.asked, 1) << why;
    EXPECT_EQ(facts->fid, g_answers.fid) << why;
    EXPECT_EQ(facts->hsm_state, g_answers.state.hus_states) << why;
    EXPECT_EQ(facts->archive_id, g_answers.state.hus_archive_id) << why;
    EXPECT_EQ(facts->project_id, 42U) << why;
  };
  const auto all = g_answers.xattrs;
  for (const char* name : {"trusted.lma", "trusted.projid", "lustre.lov"}) {
    g_answers.xattrs.erase(name);
    expect_asked(std::string("no ") + name);
    g_answers.xattrs = all;
  }
  for (const char* name : {"trusted.lma", "trusted.hsm", "trusted.projid"}) {
    g_answers.unreadable = name;
    expect_asked(std::string("EIO of ") + name);
    g_answers.unreadable.clear();
    g_answers.xattrs[name] = "x";
    expect_asked(std::string("nonsense in ") + name);
    g_answers.xattrs = all;
  }
  g_answers.xattrs["trusted.projid"] = "99999999999";
  expect_asked("no number of 32 bits");
  g_answers.xattrs = all;

  g_answers.xattrs["lustre.lov"] = default_layout();
  expect_asked("restored since the xattr was read");
  g_answers.xattrs = all;
  g_answers.xattrs["trusted.hsm"] = bytes_of(abi::hsm_attrs{0, abi::HS_EXISTS | abi::HS_ARCHIVED, 5, 77});
  expect_asked("released since the xattr was read");
  g_answers.xattrs.erase("trusted.hsm");
  expect_asked("archived and released since the xattr was read");
  g_answers.xattrs = all;
  g_answers.xattrs["lustre.lov"] += std::string(3000, '\0');
  expect_asked("more than the client fetches with one request");
}

TEST_F(XattrDescriberTest, where_only_what_is_released_matters_the_rest_costs_nothing) {
  const auto released = describe("file", FactsFrom::xattrs_of_released);
  ASSERT_TRUE(released);
  EXPECT_FALSE(released->is_known_not_released);
  EXPECT_EQ(released->fid, (Fid{0x200000402, 9, 0}));
  EXPECT_EQ(released->attributes.st_size, 5);
  const auto all = g_answers.xattrs;
  g_answers.xattrs = {{"lustre.lov", default_layout()}};  // nothing else is read
  const auto here = describe("file", FactsFrom::xattrs_of_released);
  ASSERT_TRUE(here);
  EXPECT_TRUE(here->is_known_not_released);
  EXPECT_TRUE(S_ISREG(here->attributes.st_mode));
  EXPECT_EQ(here->attributes.st_dev, released->attributes.st_dev);
  EXPECT_EQ(g_answers.asked, 0);
  // What cannot be told is not passed over.
  g_answers.xattrs = all;
  g_answers.unreadable = "lustre.lov";
  EXPECT_FALSE(describe("file", FactsFrom::xattrs_of_released).value().is_known_not_released);
  EXPECT_EQ(std::exchange(g_answers.asked, 0), 1);
  g_answers.unreadable.clear();
  g_answers.xattrs["lustre.lov"] = "of another kind, and long enough for a plain one";
  EXPECT_FALSE(describe("file", FactsFrom::xattrs_of_released).value().is_known_not_released);
  EXPECT_EQ(std::exchange(g_answers.asked, 0), 1);
  g_answers.xattrs.erase("lustre.lov");
  EXPECT_FALSE(describe("file", FactsFrom::xattrs_of_released).value().is_known_not_released);
  EXPECT_EQ(std::exchange(g_answers.asked, 0), 1);

  std::filesystem::create_symlink("file", m_dir / "link");
  const auto link = describe("link", FactsFrom::xattrs_of_released);
  EXPECT_TRUE(S_ISLNK(link.value().attributes.st_mode));
  EXPECT_FALSE(link.value().is_known_not_released);
  EXPECT_EQ(g_answers.asked, 0);
}

TEST_F(XattrDescriberTest, of_what_is_no_file_there_are_only_attributes) {
  std::filesystem::create_symlink("file", m_dir / "link");
  EXPECT_TRUE(S_ISLNK(describe("link").value().attributes.st_mode));
  EXPECT_EQ(describe("link").value().fid, Fid{});
  EXPECT_EQ(describe("gone").error().sys_errno, ENOENT);
  EXPECT_EQ(g_answers.asked, 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DescriberTest, ::testing::Values(KnownKind::unknown, KnownKind::regular_file),
                         [](const auto& kind) { return kind.param == KnownKind::unknown ? "unknown" : "regular_file"; });

}  // namespace
}  // namespace lhsm::lustre
