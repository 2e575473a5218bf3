// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Archives that somebody put odd things into, and roots that cannot be used.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "archive_fixture.hpp"
#include "lhsmtool_mpi/archive/beneath.hpp"
#include "support/as_nobody.hpp"

namespace lhsm::archive {
namespace {

namespace fs = std::filesystem;

class HostileTreeTest : public ArchiveFixture {
 protected:
  test::TempDir m_outside;

  void expect_open(ErrorKind kind, int sys_errno) {
    const auto reader = m_backend->open(k_fid);
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().kind, kind) << reader.error().describe();
    EXPECT_EQ(reader.error().sys_errno, sys_errno);
    EXPECT_EQ(reader.error().subject, object().string());
  }
  void make_parent() { fs::create_directories(object().parent_path()); }
};

TEST_F(HostileTreeTest, directory_in_the_objects_place) {
  fs::create_directories(object());
  expect_open(ErrorKind::invalid, EISDIR);
  const auto publication = begin("new", "lov")->publish();
  ASSERT_FALSE(publication);
  EXPECT_EQ(publication.error().kind, ErrorKind::invalid);
  EXPECT_EQ(publication.error().sys_errno, EISDIR);
  EXPECT_EQ(m_backend->remove(k_fid).error().sys_errno, EISDIR);
  EXPECT_TRUE(files().empty()) << "no temporary stays";
  EXPECT_TRUE(fs::is_directory(object()));
}

TEST_F(HostileTreeTest, directory_in_the_layouts_place) {
  fs::create_directories(object().string() + ".lov");
  EXPECT_EQ(m_backend->layout(k_fid).error().sys_errno, EISDIR);
  EXPECT_EQ(begin("new", "lov")->publish().error().sys_errno, EISDIR);
  EXPECT_EQ(begin("new")->publish().error().sys_errno, EISDIR);
  EXPECT_TRUE(files().empty());
}

TEST_F(HostileTreeTest, fifo_in_the_objects_place_blocks_nobody) {
  make_parent();
  ASSERT_EQ(::mkfifo(object().c_str(), 0600), 0);
  expect_open(ErrorKind::invalid, EINVAL);
  store("new");
  EXPECT_EQ(load(), "new");
}

TEST_F(HostileTreeTest, fifo_in_the_temporarys_place_blocks_nobody) {
  auto writer = begin("content");
  const fs::path temporary = object().parent_path() / writer->token();
  fs::remove(temporary);
  ASSERT_EQ(::mkfifo(temporary.c_str(), 0600), 0);
  EXPECT_EQ(m_backend->join(k_fid, writer->token()).error().kind, ErrorKind::invalid);
}

TEST_F(HostileTreeTest, socket_in_the_objects_place) {
  make_parent();
  const Fd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // Relative, as the whole path is too long for a socket's name.
  const fs::path before = fs::current_path();
  fs::current_path(object().parent_path());
  k_fid.str().copy(address.sun_path, sizeof address.sun_path - 1);
  const int bound = ::bind(*server, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  fs::current_path(before);
  ASSERT_EQ(bound, 0);
  expect_open(ErrorKind::invalid, EINVAL);
}

TEST_F(HostileTreeTest, device_in_the_objects_place) {
  make_parent();
  if (::mknod(object().c_str(), S_IFCHR | 0600, 0x105) != 0) GTEST_SKIP() << "may make no device";  // /dev/zero
  if (const auto reader = m_backend->open(k_fid); !reader && reader.error().sys_errno == EACCES)
    GTEST_SKIP() << "mounted nodev";
  expect_open(ErrorKind::invalid, EINVAL);
}

TEST_F(HostileTreeTest, link_in_the_objects_place_is_not_followed) {
  make_parent();
  for (const fs::path& target : {m_outside / "secret", fs::path("nowhere"), m_dir / "inside"}) {
    test::write_file(m_outside / "secret", "secret");
    test::write_file(m_dir / "inside", "inside");
    fs::remove(object());
    fs::create_symlink(target, object());
    expect_open(ErrorKind::invalid, ELOOP);
    store("new");
    EXPECT_EQ(load(), "new");
    EXPECT_FALSE(fs::is_symlink(object())) << "the link was replaced, not what it leads to";
    EXPECT_EQ(test::read_file(m_outside / "secret"), "secret");
  }
}

TEST_F(HostileTreeTest, link_in_the_objects_place_is_put_back_by_roll_back) {
  make_parent();
  fs::create_symlink("somewhere", object());
  EXPECT_TRUE(publish("new")->roll_back());
  EXPECT_EQ(fs::read_symlink(object()), "somewhere");
}

TEST_F(HostileTreeTest, layout_that_is_a_link_is_not_followed) {
  make_parent();
  test::write_file(m_outside / "secret", "secret");
  fs::create_symlink(m_outside / "secret", object().string() + ".lov");
  EXPECT_EQ(m_backend->layout(k_fid).error().kind, ErrorKind::invalid);
  store("new", "lov");
  EXPECT_EQ(test::read_file(m_outside / "secret"), "secret");
}

TEST_F(HostileTreeTest, loop_of_links_on_the_way) {
  fs::create_symlink("0001", m_dir / "0001");
  expect_open(ErrorKind::invalid, ELOOP);
}

TEST_F(HostileTreeTest, links_that_leave_the_root_are_refused) {
  test::write_file(m_outside.path() / "0000/0401/0000/0002/0000" / k_fid.str(), "secret");
  const auto before = test::files_below(m_outside.path());
  const fs::path relative = fs::path("..") / m_outside.path().filename();
  for (const fs::path& target : {m_outside.path(), relative, fs::path("/proc/self/cwd")}) {
    fs::remove(m_dir / "0001");
    fs::create_symlink(target, m_dir / "0001");
    expect_open(ErrorKind::denied, EXDEV);
    EXPECT_EQ(m_backend->layout(k_fid).error().sys_errno, EXDEV);
    EXPECT_EQ(m_backend->create(k_fid).error().sys_errno, EXDEV);
    EXPECT_EQ(m_backend->remove(k_fid).error().sys_errno, EXDEV);
    EXPECT_EQ(m_backend->join(k_fid, k_fid.str() + "_tmp.1-1").error().sys_errno, EXDEV);
  }
  EXPECT_EQ(test::files_below(m_outside.path()), before);
}

TEST_F(HostileTreeTest, directories_are_not_made_behind_a_link_that_leaves_the_root) {
  fs::create_symlink(m_outside.path(), m_dir / "0001");
  EXPECT_FALSE(m_backend->create(k_fid));
  EXPECT_TRUE(fs::is_empty(m_outside.path()));
}

TEST_F(HostileTreeTest, links_that_stay_inside_are_followed) {
  fs::create_directories(m_dir / "elsewhere");
  fs::create_symlink("elsewhere", m_dir / "0001");
  store("content");
  EXPECT_EQ(load(), "content");
  EXPECT_TRUE(fs::exists(m_dir.path() / "elsewhere/0000/0401/0000/0002/0000" / k_fid.str()));
}

TEST_F(HostileTreeTest, file_where_a_directory_should_be) {
  test::write_file(m_dir / "0001", "a file");
  expect_open(ErrorKind::not_found, ENOTDIR);
  EXPECT_EQ(m_backend->create(k_fid).error().sys_errno, ENOTDIR);
  EXPECT_EQ(m_backend->layout(k_fid).error().sys_errno, ENOTDIR);
}

TEST_F(HostileTreeTest, missing_root) {
  const auto backend = open_posix_backend({.root = m_dir / "missing"});
  ASSERT_FALSE(backend);
  EXPECT_EQ(backend.error(), (Error{ErrorKind::not_found, ENOENT, "open", m_dir / "missing"}));
}

TEST_F(HostileTreeTest, root_that_is_a_file) {
  test::write_file(m_dir / "file", "");
  EXPECT_EQ(open_posix_backend({.root = m_dir / "file"}).error().sys_errno, ENOTDIR);
  EXPECT_EQ(open_posix_backend({.root = ""}).error().sys_errno, ENOENT);
}

TEST_F(HostileTreeTest, root_with_slashes_at_its_end) {
  const auto backend = open_posix_backend({.root = m_dir.str() + "//"});
  ASSERT_TRUE(backend);
  EXPECT_EQ((*backend)->open(k_fid).error().subject, object().string());
}

TEST_F(HostileTreeTest, check_of_a_good_root_leaves_nothing) {
  EXPECT_TRUE(m_backend->check());
  EXPECT_TRUE(fs::is_empty(m_dir.path()));
}

TEST_F(HostileTreeTest, check_sees_that_the_root_is_gone_or_another) {
  fs::create_directories(m_dir / "root");
  const auto backend = std::move(*open_posix_backend({.root = m_dir / "root"}));
  EXPECT_TRUE(backend->check());
  fs::rename(m_dir / "root", m_dir / "moved");
  EXPECT_EQ(backend->check().error().sys_errno, ENOENT);
  fs::create_directories(m_dir / "root");
  EXPECT_EQ(backend->check().error().sys_errno, ESTALE);
}

TEST_F(HostileTreeTest, root_without_permission) {
  for (const fs::perms perms : {fs::perms::none, fs::perms(0300), fs::perms(0444)}) {
    fs::create_directories(m_dir / "root");
    fs::permissions(m_dir.path(), fs::perms(0755));
    fs::permissions(m_dir / "root", perms);
    const auto denied = test::run_as_nobody([&] {
      const auto backend = open_posix_backend({.root = m_dir / "root"});
      return !backend && backend.error().kind == ErrorKind::denied &&
             backend.error().subject == (m_dir / "root").string();
    });
    fs::permissions(m_dir / "root", fs::perms(0755));
    if (!denied) GTEST_SKIP() << "no child without privileges";
    EXPECT_TRUE(*denied) << std::oct << static_cast<unsigned>(perms);
  }
}

TEST_F(HostileTreeTest, check_of_a_root_that_cannot_be_written) {
  fs::permissions(m_dir.path(), fs::perms(0755));
  if (::geteuid() != 0) fs::permissions(m_dir.path(), fs::perms(0555));
  const auto denied = test::run_as_nobody([&] {
    const auto backend = open_posix_backend({.root = m_dir.str()});
    return backend && !(*backend)->check() && (*backend)->check().error().kind == ErrorKind::denied;
  });
  fs::permissions(m_dir.path(), fs::perms(0755));
  if (!denied) GTEST_SKIP() << "no child without privileges";
  EXPECT_TRUE(*denied);
}

TEST_F(HostileTreeTest, object_of_somebody_else_is_read_without_sparing_its_atime) {
  // Only root can lay out a file that the reader may read and does not own.
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  test::write_file(object(), "content");
  for (fs::path dir = object().parent_path(); dir != m_dir.path().parent_path(); dir = dir.parent_path())
    fs::permissions(dir, fs::perms(0755));
  fs::permissions(object(), fs::perms(0644));
  EXPECT_EQ(test::run_as_nobody([&] {
              m_backend = open_backend();
              return load() == "content";
            }).value_or(true),
            true);
}

/// What holds whether the kernel resolves the path or we do.
class BeneathTest : public ::testing::TestWithParam<Resolve> {
 protected:
  test::TempDir m_dir;
  test::TempDir m_outside;
  Beneath m_tree = std::move(*Beneath::open_root(m_dir.str(), GetParam()));

  [[nodiscard]] int errno_of_open(const std::string& path) const {
    const auto fd = m_tree.open(path, O_RDONLY);
    return fd ? 0 : fd.error().sys_errno;
  }
};

TEST_P(BeneathTest, opens_what_is_there) {
  test::write_file(m_dir / "a/b/c", "x");
  EXPECT_EQ(errno_of_open("a/b/c"), 0);
  EXPECT_EQ(errno_of_open("a/b"), 0);
  EXPECT_EQ(errno_of_open("a/b/d"), ENOENT);
  EXPECT_EQ(errno_of_open("a/d/c"), ENOENT);
  EXPECT_EQ(errno_of_open("a/b/c/d"), ENOTDIR);
}

TEST_P(BeneathTest, never_leaves) {
  test::write_file(m_outside / "secret", "x");
  fs::create_symlink(m_outside.path(), m_dir / "out");
  fs::create_symlink(m_outside / "secret", m_dir / "file");
  EXPECT_NE(errno_of_open("out/secret"), 0);
  EXPECT_NE(errno_of_open("file"), 0);
  EXPECT_EQ(errno_of_open("../" + m_outside.path().filename().string() + "/secret"), EXDEV);
  EXPECT_FALSE(m_tree.open_dir("out"));
  std::vector<Fd> changed;
  EXPECT_FALSE(m_tree.make_dir("out/new/newer", changed));
  EXPECT_FALSE(fs::exists(m_outside / "new"));
}

TEST_P(BeneathTest, make_dir_makes_what_is_missing_and_names_what_changed) {
  std::vector<Fd> changed;
  ASSERT_TRUE(m_tree.make_dir("a/b/c", changed));
  EXPECT_EQ(changed.size(), 3U);
  changed.clear();
  ASSERT_TRUE(m_tree.make_dir("a/b/d", changed));
  EXPECT_EQ(changed.size(), 1U);
  changed.clear();
  ASSERT_TRUE(m_tree.make_dir("a/b/d", changed));
  EXPECT_TRUE(changed.empty());
  EXPECT_TRUE(fs::is_directory(m_dir / "a/b/c"));
}

TEST_P(BeneathTest, links_none_refuses_all_links) {
  fs::create_directories(m_dir / "a");
  fs::create_symlink("a", m_dir / "link");
  EXPECT_FALSE(m_tree.open_dir("link", Links::none));
  std::vector<Fd> changed;
  EXPECT_FALSE(m_tree.make_dir("link/b", changed, Links::none));
  EXPECT_TRUE(fs::is_empty(m_dir / "a"));
}

INSTANTIATE_TEST_SUITE_P(Both, BeneathTest, ::testing::Values(Resolve::by_kernel, Resolve::by_walking));

}  // namespace
}  // namespace lhsm::archive
