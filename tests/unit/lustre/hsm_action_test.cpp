// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/lustre/hsm_action.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "support/fake_lustre.hpp"

namespace lhsm::lustre {
namespace {

using test::Call;
using test::FakeLustre;

class HsmActionTest : public ::testing::Test {
 protected:
  FakeLustre m_lustre;

  ~HsmActionTest() override {
    EXPECT_EQ(m_lustre.violations(), std::vector<std::string>{});
    EXPECT_EQ(m_lustre.volatiles(), 0U) << "a volatile is left behind";
  }

  HsmAction open(const ActionItem& item) {
    auto action = HsmAction::open(m_lustre, item);
    EXPECT_TRUE(action.has_value()) << action.error().describe();
    return std::move(action).value();
  }
  void write(int fd, const std::string& content) {
    EXPECT_EQ(::pwrite(fd, content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
  }
};

TEST_F(HsmActionTest, archive_runs_from_open_to_end) {
  const ActionItem item = m_lustre.request(ActionKind::archive, m_lustre.make_file("content", 2));
  HsmAction action = open(item);
  EXPECT_EQ(action.attributes().st_size, 7);
  EXPECT_EQ(action.dfid(), item.fid);
  EXPECT_EQ(m_lustre.calls(Call::copy_start), 0) << "nothing is reported by opening";
  ASSERT_TRUE(action.begin());
  EXPECT_TRUE(action.progress({0, 7}));
  EXPECT_TRUE(action.progress({7, 0}));
  EXPECT_TRUE(action.end(0));
  const auto record = m_lustre.record(item);
  EXPECT_EQ(record.ends, std::vector<int>{0});
  EXPECT_EQ(record.reports, (std::vector<Extent>{{0, 7}, {7, 0}}));
  EXPECT_EQ(m_lustre.calls(Call::create_volatile), 0);
}

TEST_F(HsmActionTest, restore_runs_from_open_to_end) {
  const Fid fid = m_lustre.make_released(7, 3);
  struct stat before = test::stat_of(m_lustre.path(fid));
  const std::array<timespec, 2> times{{{1000000, 5}, {2000000, 7}}};
  ASSERT_EQ(::utimensat(AT_FDCWD, m_lustre.path(fid).c_str(), times.data(), 0), 0);
  const ActionItem item = m_lustre.request(ActionKind::restore, fid);
  HsmAction action = open(item);
  ASSERT_TRUE(action.begin());
  EXPECT_NE(action.dfid(), fid);
  EXPECT_EQ(action.dfid().seq & 0xffU, 3U) << "the volatile lives on the file's MDT";
  write(action.data_fd(), "content");
  EXPECT_TRUE(action.progress({0, 7}));
  EXPECT_TRUE(action.end(0));
  const struct stat after = test::stat_of(m_lustre.path(fid));
  EXPECT_EQ(m_lustre.content(fid), "content");
  EXPECT_EQ(after.st_mtim.tv_sec, 2000000);
  EXPECT_EQ(after.st_atim.tv_sec, 1000000);
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(m_lustre.volatile_directories, std::vector<std::string>{m_lustre.mount_point() + "/dir"});
  ASSERT_EQ(m_lustre.copy_ends.size(), 1U);
  EXPECT_EQ(std::uint64_t{m_lustre.copy_ends[0].hc_hai.hai_fid.f_seq}, action.dfid().seq) << "the end names the data";
  EXPECT_EQ(std::uint32_t{m_lustre.copy_ends[0].hc_hai.hai_fid.f_oid}, action.dfid().oid);
}

TEST_F(HsmActionTest, begin_of_a_restore_gives_the_volatile_the_owner_of_the_file) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may chown";
  const Fid fid = m_lustre.make_released(7);
  ASSERT_EQ(::chown(m_lustre.path(fid).c_str(), 1234, 4321), 0);
  HsmAction action = open(m_lustre.request(ActionKind::restore, fid));
  ASSERT_TRUE(action.begin());
  struct stat status {};
  ASSERT_EQ(::fstat(action.data_fd(), &status), 0);
  EXPECT_EQ(status.st_uid, 1234U);
  EXPECT_EQ(status.st_gid, 4321U);
  EXPECT_TRUE(action.end(EIO));
}

TEST_F(HsmActionTest, begin_finds_the_mdt_out_when_nobody_knows_it) {
  ActionItem item = m_lustre.request(ActionKind::restore, m_lustre.make_released(7, 5));
  item.mdt_index = -1;
  HsmAction action = open(item);
  ASSERT_TRUE(action.begin());
  EXPECT_EQ(action.dfid().seq & 0xffU, 5U);
  EXPECT_TRUE(action.end(EIO));
}

TEST_F(HsmActionTest, begin_makes_the_volatile_at_the_root_when_the_directory_is_gone) {
  HsmAction action = open(m_lustre.request(ActionKind::restore, m_lustre.make_released(7)));
  std::filesystem::remove(m_lustre.mount_point() + "/dir");
  ASSERT_TRUE(action.begin());
  EXPECT_EQ(m_lustre.volatile_directories, std::vector<std::string>{m_lustre.mount_point()});
  EXPECT_TRUE(action.end(EIO));
}

TEST_F(HsmActionTest, begin_lets_the_data_count_for_the_files_own_project) {
  const Fid fid = m_lustre.make_released(7);
  m_lustre.set_project(fid, 1001);
  HsmAction action = open(m_lustre.request(ActionKind::restore, fid));
  ASSERT_TRUE(action.begin());
  EXPECT_EQ(m_lustre.project_of(action.dfid()), 1001U);
  EXPECT_TRUE(action.end(0));

  m_lustre.fail(Call::match_project, EPERM);
  HsmAction other = open(m_lustre.request(ActionKind::restore, m_lustre.make_released(7)));
  ASSERT_TRUE(other.begin()) << "a restore is worth more than its account";
  EXPECT_TRUE(other.end(0));
}

TEST_F(HsmActionTest, begin_makes_the_volatile_at_the_root_when_the_file_has_no_path) {
  m_lustre.fail(Call::path_of, ENOENT);
  HsmAction action = open(m_lustre.request(ActionKind::restore, m_lustre.make_released(7)));
  ASSERT_TRUE(action.begin());
  EXPECT_EQ(m_lustre.volatile_directories, std::vector<std::string>{m_lustre.mount_point()});
  EXPECT_TRUE(action.end(EIO));
}

TEST_F(HsmActionTest, drop_after_begin_ends_as_failed_once) {
  for (const ActionKind kind : {ActionKind::archive, ActionKind::restore}) {
    const ActionItem item = m_lustre.request(kind, m_lustre.make_released(7));
    {
      HsmAction action = open(item);
      ASSERT_TRUE(action.begin());
      HsmAction moved(std::move(action));
      EXPECT_EQ(m_lustre.record(item).ends.size(), 0U);
    }
    EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{EIO});
  }
}

TEST_F(HsmActionTest, drop_without_begin_owes_nothing) {
  const ActionItem item = m_lustre.request(ActionKind::archive, m_lustre.make_file("x"));
  { const HsmAction action = open(item); }
  EXPECT_EQ(m_lustre.calls(Call::copy_end), 0);
  EXPECT_EQ(m_lustre.record(item).ends.size(), 0U);
}

TEST_F(HsmActionTest, drop_after_end_ends_no_second_time) {
  const ActionItem item = m_lustre.request(ActionKind::archive, m_lustre.make_file("x"));
  {
    HsmAction action = open(item);
    ASSERT_TRUE(action.begin());
    EXPECT_TRUE(action.end(ENOSPC));
  }
  EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{ENOSPC});
  EXPECT_EQ(m_lustre.calls(Call::copy_end), 1);
}

TEST_F(HsmActionTest, end_keeps_the_volatile_open_until_the_answer) {
  // FakeLustre notes a violation otherwise, and the swap fails with ENOENT.
  for (const int sys_errno : {0, EIO}) {
    HsmAction action = open(m_lustre.request(ActionKind::restore, m_lustre.make_released(4)));
    ASSERT_TRUE(action.begin());
    write(action.data_fd(), "data");
    EXPECT_TRUE(action.end(sys_errno));
  }
}

TEST_F(HsmActionTest, end_never_sends_success_without_a_begin) {
  const ActionItem item = m_lustre.request(ActionKind::restore, m_lustre.make_released(7));
  HsmAction action = open(item);
  const Status ended = action.end(0);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::internal);
  EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{EINVAL});
}

TEST_F(HsmActionTest, end_never_sends_success_after_a_begin_that_failed) {
  const ActionItem item = m_lustre.request(ActionKind::restore, m_lustre.make_released(7));
  m_lustre.fail(Call::copy_start, EAGAIN);
  HsmAction action = open(item);
  EXPECT_FALSE(action.begin());
  EXPECT_FALSE(action.end(0));
  EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{EINVAL});
}

TEST_F(HsmActionTest, begin_errors_are_returned_and_the_action_is_still_to_be_ended) {
  for (const auto& [call, kind] : std::vector<std::pair<Call, ActionKind>>{{Call::copy_start, ActionKind::archive},
                                                                           {Call::copy_start, ActionKind::restore},
                                                                           {Call::create_volatile, ActionKind::restore},
                                                                           {Call::fid_of, ActionKind::restore}}) {
    const ActionItem item = m_lustre.request(kind, m_lustre.make_released(7));
    m_lustre.fail(call, EDQUOT);
    {
      HsmAction action = open(item);
      const Status begun = action.begin();
      ASSERT_FALSE(begun);
      EXPECT_EQ(begun.error().sys_errno, EDQUOT);
    }
    EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{EIO});
    m_lustre.fail(call, 0);
    for (const auto& entry : std::filesystem::directory_iterator(m_lustre.dir() / "volatile"))
      std::filesystem::remove(entry);  // the fake keeps the name of one whose FID nobody learnt
  }
}

TEST_F(HsmActionTest, begin_of_a_cancelled_action_is_ecanceled) {
  const ActionItem item = m_lustre.request(ActionKind::archive, m_lustre.make_file("x"));
  m_lustre.cancel(item);
  HsmAction action = open(item);
  const Status begun = action.begin();
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().kind, ErrorKind::cancelled);
  EXPECT_TRUE(action.end(reportable_errno(begun.error())));
  EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{ECANCELED});
}

TEST_F(HsmActionTest, begin_of_an_unknown_cookie_is_enoent) {
  ActionItem item = m_lustre.request(ActionKind::archive, m_lustre.make_file("x"));
  item.cookie += 100;
  HsmAction action = open(item);
  const Status begun = action.begin();
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().sys_errno, ENOENT);
  action.abandon();
}

TEST_F(HsmActionTest, abandoned_it_is_not_ended) {
  const ActionItem item = m_lustre.request(ActionKind::restore, m_lustre.make_released(7));
  {
    HsmAction action = open(item);
    ASSERT_TRUE(action.begin());
    action.abandon();
    EXPECT_EQ(m_lustre.volatiles(), 0U);
  }
  EXPECT_EQ(m_lustre.calls(Call::copy_end), 0);
}

TEST_F(HsmActionTest, begin_of_an_archive_sees_the_file_as_its_data_version_does) {
  const Fid fid = m_lustre.make_file("short");
  HsmAction action = open(m_lustre.request(ActionKind::archive, fid));
  m_lustre.modify(fid, "much longer than before");  // between open and begin
  ASSERT_TRUE(action.begin());
  EXPECT_EQ(action.attributes().st_size, 23) << "else the end succeeds for a part of the file";
  EXPECT_TRUE(action.end(0));
}

TEST_F(HsmActionTest, end_returns_what_the_coordinator_said) {
  const Fid fid = m_lustre.make_file("before");
  const ActionItem item = m_lustre.request(ActionKind::archive, fid);
  HsmAction action = open(item);
  ASSERT_TRUE(action.begin());
  m_lustre.modify(fid, "after");
  const Status ended = action.end(0);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().sys_errno, EBUSY);
  EXPECT_EQ(ended.error().kind, ErrorKind::busy);
  EXPECT_EQ(m_lustre.record(item).ends.size(), 1U);

  for (const int sys_errno : {EPERM, ENOENT}) {
    HsmAction other = open(m_lustre.request(ActionKind::archive, fid));
    ASSERT_TRUE(other.begin());
    m_lustre.fail(Call::copy_end, sys_errno);
    EXPECT_EQ(other.end(0).error().sys_errno, sys_errno);
    m_lustre.fail(Call::copy_end, 0);
  }
}

TEST_F(HsmActionTest, end_reports_a_restore_whose_times_cannot_be_set) {
  const ActionItem item = m_lustre.request(ActionKind::restore, m_lustre.make_released(7));
  m_lustre.fail(Call::set_times, EPERM);
  HsmAction action = open(item);
  ASSERT_TRUE(action.begin());
  const Status ended = action.end(0);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().sys_errno, EPERM);
  EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{EPERM}) << "never a success";
}

TEST_F(HsmActionTest, progress_of_a_cancelled_action_is_ecanceled) {
  const ActionItem item = m_lustre.request(ActionKind::archive, m_lustre.make_file("x"));
  HsmAction action = open(item);
  ASSERT_TRUE(action.begin());
  m_lustre.cancel(item);
  EXPECT_EQ(action.progress({0, 0}).error().sys_errno, ECANCELED);
  EXPECT_TRUE(action.end(ECANCELED));
}

TEST_F(HsmActionTest, end_sends_extents_that_do_not_overflow) {
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{4096}, ~std::uint64_t{0}}) {
    ActionItem item = m_lustre.request(ActionKind::archive, m_lustre.make_file("x"));
    item.extent = {offset, ~std::uint64_t{0}};
    HsmAction action = open(item);
    ASSERT_TRUE(action.begin());
    EXPECT_TRUE(action.end(0)) << offset;
    ActionItem refused = m_lustre.request(ActionKind::remove, item.fid);
    refused.extent = item.extent;
    EXPECT_TRUE(end_unbegun(m_lustre, refused, EINVAL)) << offset;
  }
}

TEST_F(HsmActionTest, open_refuses_what_is_no_regular_file) {
  const Fid directory = m_lustre.make_file("x");
  m_lustre.unlink(directory);
  std::filesystem::create_directory(m_lustre.path(directory));
  const auto as_directory = HsmAction::open(m_lustre, m_lustre.request(ActionKind::archive, directory));
  ASSERT_FALSE(as_directory.has_value());
  EXPECT_EQ(as_directory.error().kind, ErrorKind::invalid);
  EXPECT_EQ(as_directory.error().sys_errno, EISDIR);

  const Fid fifo = m_lustre.make_file("x");
  m_lustre.unlink(fifo);
  ASSERT_EQ(::mkfifo(m_lustre.path(fifo).c_str(), 0600), 0);
  const auto as_fifo = HsmAction::open(m_lustre, m_lustre.request(ActionKind::archive, fifo));
  ASSERT_FALSE(as_fifo.has_value()) << "and did not hang";
  EXPECT_EQ(as_fifo.error().sys_errno, EINVAL);

  const Fid gone = m_lustre.make_file("x");
  m_lustre.unlink(gone);
  const auto as_gone = HsmAction::open(m_lustre, m_lustre.request(ActionKind::archive, gone));
  ASSERT_FALSE(as_gone.has_value());
  EXPECT_EQ(as_gone.error().kind, ErrorKind::not_found);
}

TEST_F(HsmActionTest, end_unbegun_ends_a_remove_with_success) {
  const ActionItem item = m_lustre.request(ActionKind::remove, m_lustre.make_file("x", 2));
  EXPECT_TRUE(end_unbegun(m_lustre, item, 0));
  EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{0});
}

TEST(ReportableErrnoTest, is_never_what_a_coordinator_takes_for_something_else) {
  const auto of = [](ErrorKind kind, int sys_errno) { return reportable_errno({kind, sys_errno, "op", "subject"}); };
  EXPECT_EQ(of(ErrorKind::io, EIO), EIO);
  EXPECT_EQ(of(ErrorKind::no_space, ENOSPC), ENOSPC);
  EXPECT_EQ(of(ErrorKind::cancelled, ECANCELED), ECANCELED);
  EXPECT_EQ(of(ErrorKind::cancelled, ENOENT), ENOENT) << "forgotten, and maybe sent again";
  EXPECT_EQ(of(ErrorKind::io, ECANCELED), EIO) << "only a real cancel";
  EXPECT_EQ(of(ErrorKind::unsupported, ENOSYS), EOPNOTSUPP);
  EXPECT_EQ(of(ErrorKind::io, 0), EIO);
  // Errors travel: whatever number comes out of a message, it must not become a success in 16 bits.
  for (const int sys_errno : {-1, -EIO, 4096, 65536, 1 << 20, INT32_MIN, INT32_MAX})
    EXPECT_EQ(of(ErrorKind::io, sys_errno), EIO) << sys_errno;
}

}  // namespace
}  // namespace lhsm::lustre
