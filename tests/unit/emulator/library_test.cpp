// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The library against a real daemon on a temporary directory: what only files and processes can show.
#include "unit/emulator/emulator_fixture.hpp"

namespace lhsm::emulator {
namespace {

class LibraryTest : public EmulatorTest {};

TEST_F(LibraryTest, restore_of_a_large_file_with_a_helper_in_another_process) {
  const std::size_t half = 300000;
  const auto path = make("large", 2 * half);
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const auto before = stat_of(path);
  const auto directory_before = stat_of(mount);
  archive_and_release(path);
  EXPECT_EQ(stat_of(path).st_size, before.st_size);
  EXPECT_EQ(stat_of(path).st_blocks, 0);
  EXPECT_EQ(stat_of(path).st_mtim.tv_nsec, before.st_mtim.tv_nsec);

  request(path, HUA_RESTORE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, O_LOV_DELAY_CREATE, false), 0);
  Fd fd(llapi_hsm_action_get_fd(action));
  lu_fid dfid{};
  ASSERT_EQ(llapi_hsm_action_get_dfid(action, &dfid), 0);
  EXPECT_NE(from_abi(dfid), from_abi(item.hai_fid));
  const std::string first(half, 'a');
  ASSERT_EQ(::pwrite(*fd, first.data(), half, 0), static_cast<ssize_t>(half));
  EXPECT_EQ(in_child([&] {
              const int helper = llapi_open_by_fid(mount.c_str(), &dfid, O_WRONLY);
              if (helper < 0) return -helper;
              return ::pwrite(helper, first.data(), half, half) == static_cast<ssize_t>(half) ? 0 : 1;
            }),
            0);
  const hsm_extent extent{0, half};
  EXPECT_EQ(llapi_hsm_action_progress(action, &extent, 2 * half, 0), 0);
  hsm_current_action current{};
  EXPECT_EQ(llapi_hsm_current_action(path.c_str(), &current), 0);
  EXPECT_EQ(std::uint64_t{current.hca_location.length}, half);
  fd.reset();  // the inode becomes the file's own, and a release wants to be alone
  EXPECT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
  EXPECT_EQ(action, nullptr);
  EXPECT_EQ(content(path), std::string(2 * half, 'a'));
  const auto after = stat_of(path);
  EXPECT_EQ(after.st_mode, before.st_mode);
  EXPECT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
  EXPECT_EQ(stat_of(mount).st_mtim.tv_nsec, directory_before.st_mtim.tv_nsec);
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED);
  request(path, HUA_RELEASE);
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | HS_RELEASED) << "nothing changed since the end";
}

TEST_F(LibraryTest, volatile_lives_while_it_is_open) {
  int fd = llapi_create_volatile_idx(mount.c_str(), 1, O_RDWR);
  ASSERT_GE(fd, 0);
  lu_fid fid{};
  ASSERT_EQ(llapi_fd2fid(fd, &fid), 0);
  const auto open_there = [&] {
    return in_child([&] {
      const int other = llapi_open_by_fid(mount.c_str(), &fid, O_RDWR);
      return other < 0 ? -other : 0;
    });
  };
  EXPECT_EQ(open_there(), 0);
  EXPECT_EQ(open_there(), 0) << "the helper's close does not end it";
  ::close(fd);
  EXPECT_EQ(open_there(), ESTALE);
  EXPECT_TRUE(std::filesystem::is_empty(mount + "/.lustre/fid"));
}

TEST_F(LibraryTest, volatile_on_the_wrong_mdt) {
  const auto path = make("f", 10);
  archive_and_release(path);
  request(path, HUA_RESTORE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 1, 0, false), 0);
  EXPECT_EQ(llapi_hsm_action_progress(action, &k_whole, 0, 0), -ENOENT);
  EXPECT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), -ENOENT);
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
}

TEST_F(LibraryTest, owner_changed_during_a_restore) {
  const auto path = make("f", 10);
  archive_and_release(path);
  request(path, HUA_RESTORE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, 0, false), 0);
  ASSERT_EQ(::chown(path.c_str(), 1234, 1234), 0);
  EXPECT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), -EPERM);
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
}

TEST_F(LibraryTest, small_linked_and_read_files_keep_their_inode) {
  const auto path = make("f", 100);
  const auto inode = stat_of(path).st_ino;
  archive_and_release(path);
  request(path, HUA_RESTORE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, 0, false), 0);
  {
    const Fd fd(llapi_hsm_action_get_fd(action));
    ASSERT_EQ(::pwrite(*fd, "xyz", 3, 0), 3);
  }
  EXPECT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
  EXPECT_EQ(content(path), "xyz");
  EXPECT_EQ(stat_of(path).st_ino, inode);
}

TEST_F(LibraryTest, file_changed_during_an_archive) {
  const auto path = make("f", 10);
  request(path, HUA_ARCHIVE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, -1, 0, false), 0);
  make("f", 11);
  EXPECT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), -EBUSY);
  EXPECT_EQ(state(path), HS_EXISTS | HS_DIRTY);
}

TEST_F(LibraryTest, release_is_refused_while_open_and_when_changed) {
  const auto path = make("f", 10);
  archive(path);
  {
    const Fd reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    request(path, HUA_RELEASE, -EBUSY);
  }
  make("f", 12);
  request(path, HUA_RELEASE, -EPERM);
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | HS_DIRTY);
  EXPECT_EQ(content(path).size(), 12U);
}

TEST_F(LibraryTest, states_and_fids_survive_a_kill) {
  const auto path = make("f", 10);
  archive_and_release(path);
  lu_fid before{};
  ASSERT_EQ(llapi_path2fid(path.c_str(), &before), 0);
  EXPECT_EQ(llapi_hsm_copytool_unregister(&ct), 0);
  kill_daemon();
  start();
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  const auto moved = mount + "/elsewhere";
  ASSERT_EQ(::rename(path.c_str(), moved.c_str()), 0);
  const Fd fd(llapi_open_by_fid(mount.c_str(), &before, O_RDONLY));
  EXPECT_TRUE(fd);
  lu_fid other{};
  ASSERT_EQ(llapi_path2fid(make("g", 1).c_str(), &other), 0);
  EXPECT_NE(from_abi(other), from_abi(before));
}

TEST_F(LibraryTest, copied_tags_are_no_identity) {
  const auto path = make("f", 10);
  archive(path);
  const auto copy = mount + "/copy";
  ASSERT_EQ(std::system(("cp -a " + path + " " + copy).c_str()), 0);
  lu_fid first{};
  lu_fid second{};
  ASSERT_EQ(llapi_path2fid(path.c_str(), &first), 0);
  ASSERT_EQ(llapi_path2fid(copy.c_str(), &second), 0);
  EXPECT_NE(from_abi(first), from_abi(second));
  EXPECT_EQ(state(copy), 0U);
}

TEST_F(LibraryTest, without_a_daemon_calls_fail_at_once) {
  const auto path = make("f", 10);
  EXPECT_EQ(state(path), 0U);
  ASSERT_EQ(emulator("stop " + mount), 0);
  hsm_user_state state{};
  EXPECT_EQ(llapi_hsm_state_get(path.c_str(), &state), -ENOTCONN);
  hsm_copytool_private* other = nullptr;
  EXPECT_EQ(llapi_hsm_copytool_register(&other, mount.c_str(), 0, nullptr, 0), -ENOTCONN);
}

}  // namespace
}  // namespace lhsm::emulator
