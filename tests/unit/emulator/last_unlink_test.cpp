// SPDX-License-Identifier: LGPL-2.1-or-later
//
// hsm.remove_archive_on_last_unlink: a REMOVE is recorded when a file has lost its last name and its
// last descriptor.
#include "unit/emulator/blocked_reader_fixture.hpp"

namespace lhsm::emulator {
namespace {

class LastUnlinkTest : public BlockedReaderTest {
 protected:
  void SetUp() override {
    BlockedReaderTest::SetUp();
    if (!IsSkipped()) set("hsm.remove_archive_on_last_unlink=1");
  }
  Fid fid_of(const std::string& path) {
    lu_fid fid{};
    EXPECT_EQ(llapi_path2fid(path.c_str(), &fid), 0);
    return from_abi(fid);
  }
  void expect_remove(const Fid& fid) {
    const auto item = receive();
    EXPECT_EQ(item.hai_action, std::uint32_t{HSMA_REMOVE});
    EXPECT_EQ(from_abi(item.hai_fid), fid);
    hsm_copyaction_private* action = nullptr;
    ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, 0, false), 0);
    EXPECT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
  }
  [[nodiscard]] int removes() const {
    return std::atoi(shell("lctl get_param -n mdt.*.hsm.actions | grep -c action=REMOVE").text.c_str());
  }
  void under_exec(const std::string& command) { ASSERT_EQ(start_reader(command)->wait(), 0); }
};

TEST_F(LastUnlinkTest, rm_and_mv_and_libc) {
  LHSM_NEEDS_PRELOAD();
  const auto first = make_released("first", 10);
  const auto first_fid = fid_of(first);
  under_exec("rm " + quoted(first));
  expect_remove(first_fid);

  const auto second = make("second", 10);
  archive(second);
  const auto second_fid = fid_of(second);
  under_exec("mv -f " + quoted(make("fresh", 1)) + " " + quoted(second));
  expect_remove(second_fid);

  const auto third = make("third", 10);
  archive(third);
  const auto third_fid = fid_of(third);
  ASSERT_EQ(std::remove(third.c_str()), 0);
  expect_remove(third_fid);
}

TEST_F(LastUnlinkTest, not_before_the_last_name_and_descriptor) {
  const auto path = make("f", 10);
  archive(path);
  const auto fid = fid_of(path);
  const auto link = mount + "/link";
  ASSERT_EQ(::link(path.c_str(), link.c_str()), 0);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  Fd open = open_file(link);
  ASSERT_EQ(::unlink(link.c_str()), 0);
  // The daemon would have recorded it before it answers what came later.
  EXPECT_EQ(shell("lfs path2fid " + quoted(mount)).code, 0);
  EXPECT_EQ(removes(), 0);
  open.reset();
  expect_remove(fid);
  EXPECT_EQ(removes(), 1);
}

TEST_F(LastUnlinkTest, only_what_is_in_an_archive_and_only_when_asked_for) {
  const auto fresh = make("fresh", 10);
  fid_of(fresh);
  ASSERT_EQ(::unlink(fresh.c_str()), 0);
  const auto path = make("f", 10);
  archive(path);
  set("hsm.remove_archive_on_last_unlink=0");
  ASSERT_EQ(::unlink(path.c_str()), 0);
  set("hsm.remove_archive_on_last_unlink=1");
  // A third one that is to be removed shows that there was nothing before it.
  const auto last = make("last", 10);
  archive(last);
  const auto fid = fid_of(last);
  ASSERT_EQ(::unlink(last.c_str()), 0);
  expect_remove(fid);
  EXPECT_EQ(removes(), 1);
}

TEST_F(LastUnlinkTest, a_restored_file_is_not_removed_with_its_former_inode) {
  const auto path = make_released("f", 300'000);
  const auto before = stat_of(path).st_ino;
  request(path, HUA_RESTORE);
  restore(pattern(300'000));
  ASSERT_NE(stat_of(path).st_ino, before);
  EXPECT_EQ(removes(), 0);
  const auto fid = fid_of(path);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  expect_remove(fid);
}

TEST_F(LastUnlinkTest, errors_are_the_kernels) {
  EXPECT_EQ(::unlink((mount + "/none").c_str()), -1);
  EXPECT_EQ(errno, ENOENT);
  const auto directory = mount + "/d";
  ASSERT_EQ(::mkdir(directory.c_str(), 0777), 0);
  EXPECT_EQ(::unlink(directory.c_str()), -1);
  EXPECT_EQ(errno, EISDIR);
  EXPECT_EQ(::rename(make("f", 1).c_str(), directory.c_str()), -1);
  EXPECT_EQ(errno, EISDIR);
  EXPECT_EQ(std::remove(directory.c_str()), 0);
  EXPECT_FALSE(std::filesystem::exists(directory));
}

}  // namespace
}  // namespace lhsm::emulator
