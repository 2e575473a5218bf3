// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The striping that a restored file gets.
#include "lhsmtool_mpi/lustre/layout.hpp"
#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

class RestoredLayoutTest : public WholeRunTest {
 protected:
  RestoredLayoutTest() {
    m_content = pattern(12345);
    m_fid = m_lustre.make_released(m_content.size());
    make_object(m_fid, m_content);
  }
  void keep_beside(const std::string& layout) { test::write_file(object(m_fid).string() + ".lov", layout); }
  /// As an import leaves it: the object of another file is this one's, too.
  void share_object() {
    const Fid former{0x200000999, 1, 0};
    std::filesystem::create_directories(object(former).parent_path());
    std::filesystem::create_hard_link(object(m_fid), object(former));
  }
  std::string restored_layout() {
    start(1);
    EXPECT_EQ(result(carry_out(ActionKind::restore, {m_fid}).front()), 0);
    EXPECT_TRUE(m_lustre.content(m_fid) == m_content);
    return m_lustre.layout_that_was_set;
  }
  std::string m_content;
  Fid m_fid;
};

TEST_F(RestoredLayoutTest, is_the_files_own) {
  m_lustre.set_file_layout(m_fid, "own");
  keep_beside("kept");
  EXPECT_EQ(restored_layout(), "own");
}

TEST_F(RestoredLayoutTest, of_an_imported_file_is_the_one_it_was_archived_with) {
  m_lustre.set_file_layout(m_fid, "that of the import");
  share_object();
  keep_beside("kept");
  EXPECT_EQ(restored_layout(), "kept");
}

TEST_F(RestoredLayoutTest, of_an_imported_file_without_a_kept_one_is_its_own) {
  m_lustre.set_file_layout(m_fid, "that of the import");
  share_object();
  EXPECT_EQ(restored_layout(), "that of the import");
}

TEST_F(RestoredLayoutTest, is_the_files_own_when_the_kept_one_cannot_be_set) {
  m_lustre.set_file_layout(m_fid, "that of the import");
  share_object();
  keep_beside("of a pool that is no more");
  m_lustre.before(Call::set_layout, [this](const Fid&) { return m_lustre.calls(Call::set_layout) == 1 ? EINVAL : 0; });
  EXPECT_EQ(restored_layout(), "that of the import");
}

TEST_F(RestoredLayoutTest, is_the_default_when_none_of_its_own_can_be_set) {
  m_lustre.set_file_layout(m_fid, "own");
  m_lustre.before(Call::set_layout, [this](const Fid&) { return m_lustre.calls(Call::set_layout) == 1 ? EINVAL : 0; });
  EXPECT_EQ(restored_layout(), lustre::default_layout());
}

/// Without a layout nothing can be written.
TEST_F(RestoredLayoutTest, when_none_can_be_set_the_action_ends_with_the_reason) {
  m_lustre.set_file_layout(m_fid, "own");
  m_lustre.fail(Call::set_layout, EDQUOT);
  start(1);
  EXPECT_EQ(result(carry_out(ActionKind::restore, {m_fid}).front()), EDQUOT);
  EXPECT_EQ(m_lustre.content(m_fid), std::string(m_content.size(), '\0')) << "still released";
}

TEST_F(RestoredLayoutTest, of_a_file_without_one_is_the_kept_one) {
  keep_beside("kept");
  EXPECT_EQ(restored_layout(), "kept");
}

}  // namespace
}  // namespace lhsm::run
