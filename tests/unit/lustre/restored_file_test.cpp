// SPDX-License-Identifier: LGPL-2.1-or-later
// From whom an action learns what its file is.
#include <gtest/gtest.h>
#include <unistd.h>

#include "lhsmtool_mpi/lustre/hsm_action.hpp"
#include "lhsmtool_mpi/lustre/layout.hpp"
#include "support/fake_lustre.hpp"

namespace lhsm::lustre {
namespace {

using test::Call;
using test::FakeLustre;

class RestoredFileTest : public ::testing::Test {
 protected:
  HsmAction open(const ActionItem& item) {
    auto action = HsmAction::open(m_lustre, item);
    EXPECT_TRUE(action.has_value()) << action.error().describe();
    return std::move(action).value();
  }
  FakeLustre m_lustre;
};

/// A PCC backend that attaches files when they are looked at would wait for the restore.
TEST_F(RestoredFileTest, restore_believes_the_mdt_and_not_this_client) {
  const Fid fid = m_lustre.make_released(7);
  Client::FileAtMdt told;
  told.attributes.st_mode = S_IFREG | 0640;
  told.attributes.st_size = 9;
  told.attributes.st_uid = ::geteuid();
  told.attributes.st_gid = ::getegid();
  told.attributes.st_mtim.tv_sec = 3000000;
  told.layout = default_layout();
  m_lustre.set_file_at_mdt(fid, told);
  HsmAction action = open(m_lustre.request(ActionKind::restore, fid));
  EXPECT_EQ(action.attributes().st_size, 9);
  EXPECT_EQ(action.is_released(), false);
  ASSERT_TRUE(action.begin());
  EXPECT_EQ(::pwrite(action.data_fd(), "content", 7, 0), 7);
  EXPECT_TRUE(action.end(0));
  EXPECT_EQ(test::stat_of(m_lustre.path(fid)).st_mtim.tv_sec, 3000000);
}

TEST_F(RestoredFileTest, restore_of_what_the_mdt_does_not_know_any_more_fails) {
  const Fid fid = m_lustre.make_released(7);
  m_lustre.before(Call::file_at_mdt, [](const Fid&) { return ENOENT; });
  const auto action = HsmAction::open(m_lustre, m_lustre.request(ActionKind::restore, fid));
  ASSERT_FALSE(action);
  EXPECT_EQ(action.error().kind, ErrorKind::not_found);
}

/// An archive's end compares data versions; its size is the client's, which asks the OSTs.
TEST_F(RestoredFileTest, archive_does_not_ask_the_mdt_for_a_size) {
  const Fid fid = m_lustre.make_file("content");
  m_lustre.set_file_at_mdt(fid, {});
  EXPECT_EQ(open(m_lustre.request(ActionKind::archive, fid)).attributes().st_size, 7);
  EXPECT_EQ(m_lustre.calls(Call::file_at_mdt), 0);
}

}  // namespace
}  // namespace lhsm::lustre
