// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/archive/import_marks.hpp"

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace lhsm::archive {
namespace {

constexpr Fid k_source{0x200000401, 1, 0};
constexpr Fid k_file{0x200000402, 2, 0};
constexpr Fid k_other{0x200000402, 3, 0};

class ImportMarksTest : public ::testing::Test {
 protected:
  test::TempDir m_dir;
  Beneath m_tree = Beneath::open_root(m_dir.str()).value();
  ImportMarks m_marks{m_tree, "scratch"};
};

TEST_F(ImportMarksTest, keep_what_was_noted_first) {
  EXPECT_EQ(m_marks.find(k_source).value(), std::nullopt);
  EXPECT_EQ(m_marks.note(k_source, k_file).value(), k_file);
  EXPECT_EQ(m_marks.note(k_source, k_other).value(), k_file);
  EXPECT_EQ(m_marks.find(k_source).value(), k_file);
  EXPECT_EQ(ImportMarks(m_tree, "home").find(k_source).value(), std::nullopt) << "file systems have the same FIDs";
}

TEST_F(ImportMarksTest, forget_only_what_is_stale) {
  EXPECT_TRUE(m_marks.forget(k_source, k_file));
  ASSERT_TRUE(m_marks.note(k_source, k_file));
  EXPECT_TRUE(m_marks.forget(k_source, k_other));
  EXPECT_EQ(m_marks.find(k_source).value(), k_file);
  EXPECT_TRUE(m_marks.forget(k_source, k_file));
  EXPECT_EQ(m_marks.find(k_source).value(), std::nullopt);
}

TEST_F(ImportMarksTest, a_name_that_is_none_leads_nowhere) {
  for (const std::string name : {"", "a/b"}) {
    const ImportMarks marks(m_tree, name);
    EXPECT_EQ(marks.note(k_source, k_file).error().sys_errno, EINVAL) << name;
    EXPECT_EQ(marks.find(k_source).error().sys_errno, EINVAL) << name;
  }
  EXPECT_TRUE(test::files_below(m_dir.str()).empty());
}

TEST_F(ImportMarksTest, what_is_no_mark_is_an_error) {
  std::filesystem::create_directories(m_dir / ".lhsmtool_mpi/imported.scratch");
  std::filesystem::create_symlink("nonsense", m_dir / (".lhsmtool_mpi/imported.scratch/" + k_source.str()));
  EXPECT_EQ(m_marks.find(k_source).error().kind, ErrorKind::corrupt);
  EXPECT_FALSE(m_marks.note(k_source, k_file));
}

}  // namespace
}  // namespace lhsm::archive
