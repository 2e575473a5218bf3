// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/manage/manage.hpp"

#include <gtest/gtest.h>

#include "lhsmtool_mpi/base/log.hpp"
#include "support/fake_lustre.hpp"

namespace lhsm::manage {
namespace {

using archive::PosixTree;
using archive::TreeFormat;
using test::Call;

class ManageTest : public ::testing::Test {
 protected:
  ManageTest() {
    auto opened = PosixTree::open(m_dir.str(), TreeFormat::v2);
    if (!opened) throw Fatal(opened.error());
    m_tree = std::make_unique<PosixTree>(std::move(*opened));
    log::set_up("test", 0, log::Level::off);
  }
  [[nodiscard]] std::filesystem::path object(const Fid& fid) const { return m_dir / m_tree->object_path(fid); }
  static int errno_of(const Status& status) { return status ? 0 : status.error().sys_errno; }
  int run_import(const std::string& source, const std::string& destination) {
    return errno_of(import(m_lustre, *m_tree, source, destination, m_options));
  }
  [[nodiscard]] std::string at(const std::string& path) const { return m_mount / path; }

  test::TempDir m_dir;
  test::TempDir m_mount;
  test::FakeLustre m_lustre;
  std::unique_ptr<PosixTree> m_tree;
  Options m_options;
};

TEST_F(ManageTest, an_imported_file_shares_its_object) {
  test::write_file(m_dir / "in/file", "content");
  m_options.archive_id = 7;
  ASSERT_EQ(run_import("in/file", at("out")), 0);
  ASSERT_EQ(m_lustre.imported.size(), 1U);
  const auto& [fid, archive_id] = m_lustre.imported.at(at("out"));
  EXPECT_EQ(archive_id, 7U);
  EXPECT_TRUE(std::filesystem::equivalent(object(fid), m_dir / "in/file"));
}

TEST_F(ManageTest, a_file_whose_object_cannot_be_linked_is_taken_back) {
  test::write_file(m_dir / "file", "content");
  // What lies at the hash directory's place is no directory.
  m_lustre.before(Call::import, [this](const Fid&) {
    for (const unsigned oid : {1U, 2U, 3U}) {
      const auto directory = object({0x200000400, oid, 0}).parent_path();
      std::filesystem::remove_all(directory);
      test::write_file(directory, "");
    }
    return 0;
  });
  EXPECT_EQ(run_import("file", at("out")), ENOTDIR);
  EXPECT_FALSE(std::filesystem::exists(at("out")));
}

TEST_F(ManageTest, a_tree_is_imported_below_its_own_name_and_failures_do_not_end_it) {
  for (const char* name : {"a", "b", "c"}) test::write_file(m_dir / ("in/sub/" + std::string(name)), name);
  std::filesystem::create_symlink("/etc/passwd", m_dir / "in/sub/bad");
  EXPECT_EQ(run_import("in", at("out")), EXDEV);
  EXPECT_EQ(m_lustre.imported.size(), 3U);
  EXPECT_TRUE(m_lustre.imported.contains(at("out/in/sub/a")));
  EXPECT_TRUE(std::filesystem::is_directory(at("out/in/sub")));
}

TEST_F(ManageTest, abort_on_error_ends_a_tree_at_once) {
  for (int i = 0; i < 20; ++i) test::write_file(m_dir / ("in/" + std::to_string(i)), "x");
  m_lustre.fail(Call::import, EPERM);
  m_options.abort_on_error = true;
  EXPECT_EQ(run_import("in", at("out")), EPERM);
  EXPECT_EQ(m_lustre.calls(Call::import), 1);
}

TEST_F(ManageTest, a_dry_run_makes_nothing) {
  test::write_file(m_dir / "in/file", "content");
  m_options.dry_run = true;
  EXPECT_EQ(run_import("in", at("out")), 0);
  EXPECT_TRUE(m_lustre.imported.empty());
  EXPECT_FALSE(std::filesystem::exists(at("out")));
  EXPECT_EQ(run_import("none", at("out")), ENOENT);
}

TEST_F(ManageTest, a_fid_is_imported_only_when_lustre_has_no_such_file) {
  const Fid gone{0x200000409, 5, 0};
  test::write_file(object(gone), "content");
  EXPECT_EQ(run_import(gone.bracketed(), at("out")), 0);
  const Fid there = m_lustre.make_file("data");
  test::write_file(object(there), "content");
  EXPECT_EQ(run_import(there.str(), at("out2")), EEXIST);
  EXPECT_FALSE(m_lustre.imported.contains(at("out2")));
}

TEST_F(ManageTest, rebind_wants_fids_of_files) {
  test::write_file(object({0x200000401, 1, 0}), "content");
  for (const std::string bad : {"", "nonsense", "0x1:0x2:0x0", "0x200000007:0x1:0x0"}) {
    EXPECT_EQ(errno_of(rebind(*m_tree, bad, "0x200000401:0x2:0x0", m_options)), EINVAL) << bad;
    EXPECT_EQ(errno_of(rebind(*m_tree, "0x200000401:0x1:0x0", bad, m_options)), EINVAL) << bad;
  }
  m_options.dry_run = true;
  EXPECT_EQ(errno_of(rebind(*m_tree, "0x200000401:0x1:0x0", "0x200000401:0x2:0x0", m_options)), 0);
  EXPECT_TRUE(std::filesystem::exists(object({0x200000401, 1, 0})));
  m_options.dry_run = false;
  EXPECT_EQ(errno_of(rebind(*m_tree, "[0x200000401:0x1:0x0]", "0xc8:0x2:0x0", m_options)), 0) << "an IGIF";
  EXPECT_EQ(test::read_file(object({0xc8, 2, 0})), "content");
}

TEST_F(ManageTest, a_list_goes_on_after_bad_lines) {
  for (const unsigned oid : {1U, 2U}) test::write_file(object({0x200000401, oid, 0}), "content");
  const auto list = m_mount / "list";
  test::write_file(list,
                   "# comment\n\n  # another\n0x200000401:0x1:0x0 0x200000402:0x1:0x0\nbad\n"
                   "0x200000401:0x9:0x0 0x200000402:0x9:0x0\n\t[0x200000401:0x2:0x0]\t[0x200000402:0x2:0x0]  ");
  EXPECT_EQ(rebind_list(*m_tree, list, m_options), 2U) << "lines that failed";
  for (const unsigned oid : {1U, 2U}) EXPECT_TRUE(std::filesystem::exists(object({0x200000402, oid, 0})));
  EXPECT_EQ(rebind_list(*m_tree, m_mount / "none", m_options).error().sys_errno, ENOENT);
}

}  // namespace
}  // namespace lhsm::manage
