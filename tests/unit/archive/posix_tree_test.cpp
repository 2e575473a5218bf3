// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/archive/posix_tree.hpp"

#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <set>

#include "support/temp_dir.hpp"

namespace lhsm::archive {
namespace {

namespace fs = std::filesystem;

class PosixTreeTest : public ::testing::Test {
 protected:
  PosixTree tree(TreeFormat format = TreeFormat::v2) {
    auto opened = PosixTree::open(m_dir.str(), format);
    if (!opened) throw Fatal(opened.error());
    return std::move(*opened);
  }
  [[nodiscard]] fs::path place(const Fid& fid, const std::string& suffix = {}, TreeFormat format = TreeFormat::v2) const {
    return m_dir / (object_path(format, fid) + suffix);
  }
  void make(const Fid& fid, const std::string& suffix, const std::string& content, TreeFormat format = TreeFormat::v2) {
    test::write_file(place(fid, suffix, format), content);
  }
  static int errno_of(const Status& status) { return status ? 0 : status.error().sys_errno; }

  test::TempDir m_dir;
  Fid m_a{0x200000401, 1, 0};
  Fid m_b{0x200000402, 0x20001, 0};
};

TEST_F(PosixTreeTest, rebind_takes_along_what_lies_beside) {
  make(m_a, "", "data");
  make(m_a, ".lov", "layout");
  make(m_a, ".digest", "digest");
  ASSERT_TRUE(tree().rebind(m_a, m_b));
  EXPECT_EQ(test::read_file(place(m_b)), "data");
  EXPECT_EQ(test::read_file(place(m_b, ".lov")), "layout");
  EXPECT_EQ(test::read_file(place(m_b, ".digest")), "digest");
  for (const char* suffix : {"", ".lov", ".digest"}) EXPECT_FALSE(fs::exists(place(m_a, suffix))) << suffix;
}

TEST_F(PosixTreeTest, rebind_replaces_an_object_with_all_that_was_its) {
  make(m_a, "", "new");
  make(m_b, "", "old");
  make(m_b, ".lov", "old layout");
  ASSERT_TRUE(tree().rebind(m_a, m_b));
  EXPECT_EQ(test::read_file(place(m_b)), "new");
  EXPECT_FALSE(fs::exists(place(m_b, ".lov"))) << "the layout of another object";
}

TEST_F(PosixTreeTest, rebind_of_nothing_leaves_everything) {
  make(m_a, ".lov", "a layout without an object");
  make(m_b, "", "other");
  EXPECT_EQ(errno_of(tree().rebind(m_a, m_b)), ENOENT);
  EXPECT_TRUE(fs::exists(place(m_a, ".lov")));
  EXPECT_EQ(test::read_file(place(m_b)), "other");
}

TEST_F(PosixTreeTest, rebind_can_be_repeated_when_it_was_interrupted) {
  make(m_a, "", "data");
  make(m_b, ".lov", "layout");  // renamed already
  ASSERT_TRUE(tree().rebind(m_a, m_b));
  EXPECT_EQ(test::read_file(place(m_b, ".lov")), "layout");
}

TEST_F(PosixTreeTest, rebind_of_two_names_of_one_file_leaves_one) {
  make(m_a, "", "data");
  fs::create_directories(place(m_b).parent_path());
  fs::create_hard_link(place(m_a), place(m_b));
  ASSERT_TRUE(tree().rebind(m_a, m_b));
  EXPECT_FALSE(fs::exists(place(m_a)));
  EXPECT_EQ(test::read_file(place(m_b)), "data");
}

TEST_F(PosixTreeTest, a_candidate_is_found_through_links_that_stay_inside) {
  make(m_a, "", "data");
  fs::create_directories(m_dir / "shadow/d");
  fs::create_symlink("../../" + object_path(TreeFormat::v2, m_a), m_dir / "shadow/d/file");
  fs::create_symlink("d/file", m_dir / "shadow/again");
  const auto candidate = tree().open_candidate("shadow/again");
  ASSERT_TRUE(candidate) << candidate.error().describe();
  EXPECT_EQ(candidate->attributes.st_size, 4);
  ASSERT_TRUE(tree().adopt(*candidate, m_b));
  EXPECT_TRUE(fs::equivalent(place(m_a), place(m_b)));
  EXPECT_FALSE(fs::is_symlink(place(m_b)));
  EXPECT_TRUE(tree().adopt(*candidate, m_b)) << "as by a run that was killed";
}

TEST_F(PosixTreeTest, an_object_of_another_root_is_adopted_with_what_lies_beside) {
  make(m_a, "", "data");
  make(m_a, ".lov", "layout");
  fs::create_directories(m_dir / "new");
  const auto opened = PosixTree::open(m_dir / "new", TreeFormat::v1);
  ASSERT_TRUE(opened);
  ASSERT_TRUE(opened->check_adoption(tree()));
  EXPECT_EQ(test::files_below(m_dir.str()).size(), 2U) << "nothing is left of that";
  const auto candidate = tree().open_object(m_a);
  ASSERT_TRUE(candidate);
  EXPECT_EQ(opened->holder(*candidate, m_a).value(), PosixTree::Holder::nobody);
  ASSERT_TRUE(opened->adopt(*candidate, m_a, tree()));
  EXPECT_EQ(opened->holder(*candidate, m_a).value(), PosixTree::Holder::candidate);
  const fs::path made = m_dir / ("new/" + object_path(TreeFormat::v1, m_a));
  EXPECT_TRUE(fs::equivalent(place(m_a), made));
  EXPECT_EQ(test::read_file(made.string() + ".lov"), "layout");
  make(m_b, "", "another's");
  EXPECT_EQ(opened->holder(tree().open_object(m_b).value(), m_a).value(), PosixTree::Holder::other);
  ASSERT_TRUE(opened->drop(m_a));
  EXPECT_TRUE(opened->drop(m_a));
  EXPECT_FALSE(fs::exists(made));
  EXPECT_FALSE(fs::exists(made.string() + ".lov"));
  EXPECT_EQ(test::read_file(place(m_a)), "data");
}

TEST_F(PosixTreeTest, an_object_of_another_file_system_is_not_adopted) {
  struct stat here {};
  struct stat shared {};
  if (::stat(m_dir.str().c_str(), &here) != 0 || ::stat("/dev/shm", &shared) != 0 || here.st_dev == shared.st_dev || ::access("/dev/shm", W_OK) != 0)
    GTEST_SKIP() << "no second file system";
  std::string root = "/dev/shm/lhsm-test-XXXXXX";
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  const auto elsewhere = PosixTree::open(root, TreeFormat::v2);
  ASSERT_TRUE(elsewhere);
  make(m_a, "", "data");
  EXPECT_EQ(errno_of(elsewhere->check_adoption(tree())), EXDEV);
  EXPECT_EQ(errno_of(elsewhere->adopt(tree().open_object(m_a).value(), m_b, tree())), EXDEV);
  EXPECT_EQ(test::files_below(m_dir.str()).size(), 1U);
  fs::remove_all(root);
}

TEST_F(PosixTreeTest, what_the_archive_keeps_of_a_file_is_not_what_it_is_itself) {
  make(m_a, "", "data");
  for (const char* name : {"user.colour", "user.lhsmtool_mpi.digest"})
    if (::setxattr(place(m_a).c_str(), name, "green", 5, 0) != 0) GTEST_SKIP() << "no xattrs here";
  const auto kept = PosixTree::kept_xattrs(tree().open_object(m_a).value());
  ASSERT_TRUE(kept);
  std::set<std::string> names;
  for (const Xattr& xattr : *kept) names.insert(xattr.name);
  EXPECT_TRUE(names.contains("user.colour"));
  EXPECT_FALSE(names.contains("user.lhsmtool_mpi.digest"));
}

/// A file system that was made anew gives FIDs that the archive knows from the former one.
TEST_F(PosixTreeTest, adopt_leaves_an_object_alone_that_is_there_with_all_that_is_its) {
  make(m_a, "", "data");
  make(m_a, ".lov", "layout");
  make(m_b, "", "somebody else's");
  make(m_b, ".lov", "its layout");
  make(m_b, ".digest", "its digest");
  const auto candidate = tree().open_candidate(object_path(TreeFormat::v2, m_a));
  ASSERT_TRUE(candidate);
  EXPECT_EQ(errno_of(tree().adopt(*candidate, m_b)), EEXIST);
  EXPECT_EQ(test::read_file(place(m_b)), "somebody else's");
  EXPECT_EQ(test::read_file(place(m_b, ".lov")), "its layout");
  EXPECT_EQ(test::read_file(place(m_b, ".digest")), "its digest");
}

TEST_F(PosixTreeTest, a_candidate_is_never_outside) {
  fs::create_directories(m_dir / "d");
  fs::create_symlink("/etc/passwd", m_dir / "absolute");
  fs::create_symlink("../../../../../../../../etc/passwd", m_dir / "d/relative");
  fs::create_symlink("loop", m_dir / "loop");
  fs::create_directory_symlink("/etc", m_dir / "etc");
  const auto failed = [&](const std::string& path) {
    const auto candidate = tree().open_candidate(path);
    return candidate ? 0 : candidate.error().sys_errno;
  };
  EXPECT_EQ(failed("absolute"), EXDEV);
  EXPECT_EQ(failed("d/relative"), EXDEV);
  EXPECT_EQ(failed("../x"), EXDEV);
  EXPECT_EQ(failed("etc/passwd"), EXDEV);
  EXPECT_EQ(failed("loop"), ELOOP);
  EXPECT_EQ(failed("d"), EISDIR);
  EXPECT_EQ(failed("none"), ENOENT);
}

TEST_F(PosixTreeTest, upgrade_moves_objects_with_any_suffix_and_prunes) {
  for (const char* suffix : {"", ".lov", ".digest", "_tmp"}) make(m_a, suffix, std::string("a") + suffix, TreeFormat::v1);
  make(m_b, "", "b");
  test::write_file(m_dir / "README", "not ours");
  test::write_file(m_dir / "notes/0x200000401:0x1:0x0", "in a directory that is none of ours");
  test::write_file(m_dir / "0001/keep", "no object");
  const auto result = tree(TreeFormat::v2).upgrade();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->moved, 4U);
  EXPECT_EQ(result->failed, 0U);
  for (const char* suffix : {"", ".lov", ".digest", "_tmp"})
    EXPECT_EQ(test::read_file(place(m_a, suffix)), std::string("a") + suffix);
  EXPECT_EQ(test::read_file(place(m_b)), "b");
  EXPECT_TRUE(fs::exists(m_dir / "README"));
  EXPECT_TRUE(fs::exists(m_dir / "notes/0x200000401:0x1:0x0"));
  EXPECT_TRUE(fs::exists(m_dir / "0001/keep"));
  EXPECT_FALSE(fs::exists(m_dir / "0001/0000")) << "directories of v1 are pruned";
  const auto again = tree(TreeFormat::v2).upgrade();
  EXPECT_TRUE(again && again->moved == 0 && again->failed == 0);
  const auto back = tree(TreeFormat::v1).upgrade();
  EXPECT_TRUE(back && back->moved == 5 && back->failed == 0);
  EXPECT_EQ(test::read_file(place(m_b, "", TreeFormat::v1)), "b");
}

TEST_F(PosixTreeTest, upgrade_replaces_nothing) {
  make(m_a, "", "old", TreeFormat::v1);
  make(m_a, "", "new", TreeFormat::v2);
  const auto result = tree(TreeFormat::v2).upgrade();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->failed, 1U);
  EXPECT_EQ(errno_of(result->first), EEXIST);
  EXPECT_EQ(test::read_file(place(m_a, "", TreeFormat::v1)), "old");
  EXPECT_EQ(test::read_file(place(m_a)), "new");
}

TEST_F(PosixTreeTest, upgrade_mends_the_shadow_tree) {
  make(m_a, "", "data", TreeFormat::v1);
  fs::create_directories(m_dir / "shadow/d");
  fs::create_symlink("../../" + object_path(TreeFormat::v1, m_a), m_dir / "shadow/d/file");
  fs::create_symlink("/elsewhere", m_dir / "shadow/other");
  ASSERT_TRUE(tree(TreeFormat::v2).upgrade());
  EXPECT_EQ(test::read_file(m_dir / "shadow/d/file"), "data");
  EXPECT_EQ(fs::read_symlink(m_dir / "shadow/other"), "/elsewhere");
}

TEST_F(PosixTreeTest, max_sequence_of_either_format) {
  EXPECT_EQ(tree().max_sequence(), 0U);
  make(m_a, "", "a", TreeFormat::v1);
  make({0x7ff00000401, 9, 0}, "", "b", TreeFormat::v1);
  make(m_b, "", "c", TreeFormat::v2);
  test::write_file(m_dir / "other/0xffffffffffff:0x1:0x0", "no object");
  EXPECT_EQ(tree().max_sequence(), 0x7ff00000401U);
}

}  // namespace
}  // namespace lhsm::archive
