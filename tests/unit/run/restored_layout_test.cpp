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

/// A restore that came to its end though it was cancelled, and then a second one that was asked for before that.
TEST_F(RestoredLayoutTest, of_a_file_that_is_not_released_any_more_stays) {
  std::string not_released(48, '\0');  // struct lov_user_md_v1 with one stripe
  const std::uint32_t head[] = {0x0BD10BD0, 1};
  std::memcpy(not_released.data(), head, sizeof head);
  not_released[28] = 1;
  not_released.resize(56);
  ASSERT_EQ(lustre::is_released(not_released), false);
  m_lustre.set_file_layout(m_fid, not_released);
  m_lustre.modify(m_fid, std::string(m_content.size(), 'n'));
  start(1);
  EXPECT_EQ(result(carry_out(ActionKind::restore, {m_fid}).front()), EBUSY);
  EXPECT_EQ(m_lustre.content(m_fid), std::string(m_content.size(), 'n')) << "what its user wrote meanwhile is lost";
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

TEST_F(RestoredLayoutTest, is_the_kept_one_without_a_pool_that_is_no_more) {
  m_lustre.set_file_layout(m_fid, "that of the import");
  share_object();
  std::string of_pool(48, '\0');  // struct lov_user_md_v3
  const std::uint32_t head[] = {0x0BD30BD0, 1};
  std::memcpy(of_pool.data(), head, sizeof head);
  of_pool[28] = 3;  // stripes
  of_pool.replace(32, 4, "fast");
  keep_beside(of_pool);
  m_lustre.before(Call::set_layout, [this](const Fid&) { return m_lustre.calls(Call::set_layout) == 1 ? EINVAL : 0; });
  const std::string set = restored_layout();
  ASSERT_EQ(set.size(), of_pool.size());
  EXPECT_EQ(set[28], 3);
  EXPECT_EQ(set.substr(32), std::string(16, '\0'));
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
