// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Links that show the archive under the names that the files had.
#include <gmock/gmock.h>

#include <climits>

#include "archive_fixture.hpp"

namespace lhsm::archive {
namespace {

namespace fs = std::filesystem;
using std::string_literals::operator""s;

class ShadowTest : public ArchiveFixture {
 protected:
  [[nodiscard]] fs::path link(const std::string& path) const { return m_dir.path() / "shadow" / path; }
};

TEST_F(ShadowTest, text_is_that_of_lhsmtool_posix) {
  EXPECT_TRUE(m_backend->note_path(k_fid, "file"));
  EXPECT_EQ(fs::read_symlink(link("file")), "../" + k_object_v1);
  EXPECT_TRUE(m_backend->note_path(k_fid, "dir/file"));
  EXPECT_EQ(fs::read_symlink(link("dir/file")), "../../" + k_object_v1);
  EXPECT_TRUE(m_backend->note_path(k_fid, "a/b/c/file"));
  EXPECT_EQ(fs::read_symlink(link("a/b/c/file")), "../../../../" + k_object_v1);
}

TEST_F(ShadowTest, leads_to_the_object) {
  store("content");
  EXPECT_TRUE(m_backend->note_path(k_fid, "a/b/file"));
  EXPECT_EQ(test::read_file(link("a/b/file")), "content");
}

TEST_F(ShadowTest, v2) {
  m_format = TreeFormat::v2;
  m_backend = open_backend();
  EXPECT_TRUE(m_backend->note_path(k_fid, "dir/file"));
  EXPECT_EQ(fs::read_symlink(link("dir/file")), "../../" + k_object_v2);
}

TEST_F(ShadowTest, same_link_stays_and_another_is_replaced) {
  EXPECT_TRUE(m_backend->note_path(k_fid, "dir/file"));
  const auto inode = test::stat_of(link("dir/file")).st_ino;
  EXPECT_TRUE(m_backend->note_path(k_fid, "dir/file"));
  EXPECT_EQ(test::stat_of(link("dir/file")).st_ino, inode);
  EXPECT_TRUE(m_backend->note_path({0x200000401, 2, 0}, "dir/file"));
  EXPECT_EQ(fs::read_symlink(link("dir/file")), "../../0002/0000/0401/0000/0002/0000/0x200000401:0x2:0x0");
  EXPECT_EQ(test::files_below(m_dir.path()).size(), 1U) << "no link in the making stays";
}

TEST_F(ShadowTest, link_that_begins_like_the_right_one_is_replaced) {
  fs::create_directories(m_dir / "shadow");
  fs::create_symlink("../" + k_object_v1 + "0", link("file"));
  EXPECT_TRUE(m_backend->note_path(k_fid, "file"));
  EXPECT_EQ(fs::read_symlink(link("file")), "../" + k_object_v1);
}

TEST_F(ShadowTest, odd_names) {
  for (const std::string& path :
       {"with space/new\nline"s, "..."s, ".hidden/..x"s, "\xff\xfe/\x01"s, std::string(NAME_MAX, 'n')}) {
    EXPECT_TRUE(m_backend->note_path(k_fid, path)) << path;
    EXPECT_TRUE(m_backend->note_path({0x200000401, 2, 0}, path)) << path;
    EXPECT_TRUE(fs::is_symlink(link(path))) << path;
  }
}

TEST_F(ShadowTest, paths_that_are_none_are_invalid) {
  for (const std::string& path :
       {""s, "/abs"s, "a//b"s, "a/"s, "."s, "./a"s, ".."s, "../a"s, "a/../../../b"s, "a/.."s, "a\0b"s}) {
    const auto status = m_backend->note_path(k_fid, path);
    ASSERT_FALSE(status) << path;
    EXPECT_EQ(status.error().kind, ErrorKind::invalid) << path;
  }
  EXPECT_TRUE(fs::is_empty(m_dir.path()));
}

TEST_F(ShadowTest, path_too_long_is_an_error) {
  EXPECT_EQ(m_backend->note_path(k_fid, std::string(NAME_MAX + 1, 'n')).error().sys_errno, ENAMETOOLONG);
  std::string deep;
  for (int i = 0; i < 2100; ++i) deep += "d/";
  EXPECT_EQ(m_backend->note_path(k_fid, deep + "file").error().sys_errno, ENAMETOOLONG);
}

TEST_F(ShadowTest, what_is_no_link_is_left_alone) {
  test::write_file(link("file"), "precious");
  EXPECT_EQ(m_backend->note_path(k_fid, "file").error().sys_errno, EEXIST);
  EXPECT_EQ(test::read_file(link("file")), "precious");
  fs::create_directories(link("dir"));
  EXPECT_EQ(m_backend->note_path(k_fid, "dir").error().sys_errno, EEXIST);
}

TEST_F(ShadowTest, directories_that_are_links_are_refused) {
  const test::TempDir outside;
  fs::create_directories(m_dir / "shadow");
  fs::create_directories(m_dir / "inside");
  fs::create_symlink(outside.path(), link("out"));
  fs::create_symlink("../inside", link("in"));
  EXPECT_FALSE(m_backend->note_path(k_fid, "out/file"));
  EXPECT_FALSE(m_backend->note_path(k_fid, "in/file"));
  EXPECT_FALSE(m_backend->note_path(k_fid, "out/new/file"));
  EXPECT_TRUE(fs::is_empty(outside.path()));
  EXPECT_TRUE(fs::is_empty(m_dir / "inside"));
}

}  // namespace
}  // namespace lhsm::archive
