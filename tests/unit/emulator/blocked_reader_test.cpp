// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The library call: what a reader of a released file waits for, and with which errno he fails.
#include "unit/emulator/blocked_reader_fixture.hpp"

#include <grp.h>

namespace lhsm::emulator {
namespace {

TEST_F(BlockedReaderTest, what_is_not_released_is_not_waited_for) {
  const auto path = make("f", 10);
  EXPECT_EQ(lhsm_emulator_wait_restored(*open_file(path)), 0) << "never archived";
  archive(path);
  EXPECT_EQ(lhsm_emulator_wait_restored(*open_file(path)), 0);
  EXPECT_EQ(lhsm_emulator_wait_restored(*open_file("/etc/passwd")), 0);
  EXPECT_EQ(lhsm_emulator_wait_restored(*open_file(mount)), 0);
  EXPECT_EQ(lhsm_emulator_wait_restored(-1), -EBADF);
  EXPECT_EQ(restores_recorded(), 0);
}

TEST_F(BlockedReaderTest, waits_until_the_data_are_there) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1000}, std::size_t{700'000}}) {
    const auto path = make_released("f" + std::to_string(size), size);
    const Fd fd = open_file(path);
    const auto waiting = wait_in_thread(*fd);
    ASSERT_TRUE(are_waiting(1));
    EXPECT_EQ(shell("lctl get_param -n mdt.*.hsm.actions | grep -c 'action=RESTORE.*archive#=1 flags=0x4 "
                    "extent=0x0-0xffffffffffffffff'")
                  .text,
              "1\n");
    restore(pattern(size));
    EXPECT_EQ(waiting->join(), 0);
    std::string read(size + 1, '\0');
    EXPECT_EQ(::pread(*fd, read.data(), read.size(), 0), static_cast<ssize_t>(size));
    read.resize(size);
    EXPECT_EQ(read, pattern(size)) << "by the descriptor that was opened before";
    EXPECT_EQ(state(path), k_archived_state);
    ASSERT_TRUE(are_waiting(0));
    set("hsm_control=purge");
    set("hsm.grace_delay=1");
    EXPECT_TRUE(comes_true("! lctl get_param -n mdt.*.hsm.actions | grep RESTORE"));
  }
}

TEST_F(BlockedReaderTest, opened_between_begin_and_end) {
  const auto path = make_released("f", 700'000);
  request(path, HUA_RESTORE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, 0, false), 0);
  fill(action, pattern(700'000));
  const Fd fd = open_file(path);
  const auto waiting = wait_in_thread(*fd);
  ASSERT_TRUE(are_waiting(1));
  EXPECT_EQ(restores_recorded(), 1) << "the second request is none";
  ASSERT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
  EXPECT_EQ(waiting->join(), 0);
  std::string read(700'000, '\0');
  EXPECT_EQ(::read(*fd, read.data(), read.size()), 700'000);
  EXPECT_EQ(read, pattern(700'000));
}

TEST_F(BlockedReaderTest, opened_while_another_inode_took_the_name) {
  const std::size_t size = 700'000;
  const auto path = make_released("f", size);
  const Fd name = open_file(path, O_PATH);  // no reader yet
  request(path, HUA_RESTORE);
  restore(pattern(size));
  ASSERT_NE(stat_of(path).st_ino, stat_of("/proc/self/fd/" + std::to_string(*name)).st_ino);
  const Fd fd = open_file("/proc/self/fd/" + std::to_string(*name), O_RDWR);
  ASSERT_EQ(::lseek(*fd, 10, SEEK_SET), 10);
  std::string read(size, '\0');
  ASSERT_EQ(::read(*fd, read.data(), size), static_cast<ssize_t>(size - 10));
  read.resize(size - 10);
  EXPECT_TRUE(read == pattern(size).substr(10));
  ASSERT_EQ(::pwrite(*fd, "z", 1, 0), 1);
  EXPECT_EQ(content(path)[0], 'z') << "the descriptor means the file, not what was";
  EXPECT_EQ(::fcntl(*fd, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(*fd, F_GETFL) & O_ACCMODE, O_RDWR);
}

TEST_F(BlockedReaderTest, several_readers_of_one_file_are_one_request) {
  const auto path = make_released("f", 1000);
  std::vector<Fd> files;
  std::vector<std::unique_ptr<Waiting>> waiting;
  for (int i = 0; i < 5; ++i) {
    files.push_back(open_file(path));
    waiting.push_back(wait_in_thread(*files.back()));
  }
  ASSERT_TRUE(are_waiting(5));
  EXPECT_EQ(restores_recorded(), 1);
  restore(pattern(1000));
  for (const auto& one : waiting) EXPECT_EQ(one->join(), 0);
}

TEST_F(BlockedReaderTest, a_failed_restore_is_enodata) {
  const auto path = make_released("f", 1000);
  const Fd fd = open_file(path);
  const auto waiting = wait_in_thread(*fd);
  ASSERT_TRUE(are_waiting(1));
  restore("", EIO);
  EXPECT_EQ(waiting->join(), -ENODATA);
  EXPECT_EQ(state(path), k_released_state);
  const auto again = wait_in_thread(*fd);
  ASSERT_TRUE(are_waiting(1));
  restore(pattern(1000));
  EXPECT_EQ(again->join(), 0) << "the next read asks anew";
}

TEST_F(BlockedReaderTest, cancel_and_purge_are_enodata) {
  const auto path = make_released("f", 1000);
  const Fd fd = open_file(path);
  const auto cancelled = wait_in_thread(*fd);
  ASSERT_TRUE(are_waiting(1));
  request(path, HUA_CANCEL);  // the copytool is registered: it is sent, and the target with it
  EXPECT_EQ(cancelled->join(), -ENODATA);
  const auto purged = wait_in_thread(*fd);
  ASSERT_TRUE(are_waiting(1));
  set("hsm_control=purge");
  EXPECT_EQ(purged->join(), -ENODATA);
  EXPECT_EQ(state(path), k_released_state);
}

TEST_F(BlockedReaderTest, a_timeout_is_enodata) {
  const auto path = make_released("f", 1000);
  const Fd fd = open_file(path);
  const auto waiting = wait_in_thread(*fd);
  ASSERT_EQ(receive().hai_action, std::uint32_t{HSMA_RESTORE});
  set("hsm.active_request_timeout=10");
  EXPECT_EQ(waiting->join(), -ENODATA);
}

TEST_F(BlockedReaderTest, a_stopped_coordinator_is_eagain) {
  const auto path = make_released("f", 1000);
  const Fd fd = open_file(path);
  const auto waiting = wait_in_thread(*fd);
  ASSERT_TRUE(are_waiting(1));
  set("hsm_control=shutdown");
  EXPECT_EQ(waiting->join(), -ENODATA) << "he gets the layout, and it is the old one";
  EXPECT_EQ(lhsm_emulator_wait_restored(*fd), -EAGAIN);
  set("hsm_control=enabled");
}

TEST_F(BlockedReaderTest, non_blocking_restore_goes_on) {
  const auto path = make_released("f", 1000);
  set("hsm.policy=+NBR");
  EXPECT_EQ(lhsm_emulator_wait_restored(*open_file(path)), -ENODATA);
  EXPECT_EQ(restores_recorded(), 1);
  restore(pattern(1000));
  EXPECT_EQ(state(path), k_archived_state);
  EXPECT_EQ(lhsm_emulator_wait_restored(*open_file(path)), 0);
}

TEST_F(BlockedReaderTest, without_a_daemon_enotconn) {
  const auto path = make_released("f", 1000);
  const auto other = make_released("g", 1000);
  const Fd fd = open_file(path);
  const auto waiting = wait_in_thread(*fd);
  ASSERT_TRUE(are_waiting(1));
  kill_daemon();
  EXPECT_EQ(waiting->join(), -ENOTCONN);
  EXPECT_EQ(lhsm_emulator_wait_restored(*open_file(other)), -ENOTCONN);
  EXPECT_EQ(llapi_hsm_copytool_unregister(&ct), 0);
  start();
}

TEST_F(BlockedReaderTest, signals) {
  const auto path = make_released("f", 1000);
  const Fd fd = open_file(path);
  // SIGUSR1 has to wait, SIGINT ends the wait.
  const pid_t child = ::fork();
  if (child == 0) {
    static volatile std::sig_atomic_t handled = 0;
    for (const int number : {SIGUSR1, SIGINT}) std::signal(number, [](int) { handled = handled + 1; });
    const int rc = lhsm_emulator_wait_restored(*fd);
    ::_exit(rc == -EINTR && handled == 2 ? 0 : 1);
  }
  ASSERT_TRUE(are_waiting(1));
  ASSERT_EQ(::kill(child, SIGUSR1), 0);
  EXPECT_TRUE(comes_true("grep -q 'ShdPnd:.*2..$' /proc/" + std::to_string(child) + "/status"));
  EXPECT_TRUE(are_waiting(1));
  ASSERT_EQ(::kill(child, SIGINT), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(are_waiting(0));
  EXPECT_EQ(restores_recorded(), 1);
  restore(pattern(1000));
  EXPECT_EQ(state(path), k_archived_state) << "the restore is not his";
}

TEST_F(BlockedReaderTest, a_killed_reader_leaves_no_waiter) {
  LHSM_NEEDS_PRELOAD();
  const auto path = make_released("f", 1000);
  auto first = start_reader("exec cat " + quoted(path));
  auto second = start_reader("exec cat " + quoted(path));
  ASSERT_TRUE(are_waiting(2));
  first->kill();
  EXPECT_TRUE(are_waiting(1));
  second->kill();
  ASSERT_TRUE(are_waiting(0));
  restore(pattern(1000));
  EXPECT_EQ(state(path), k_archived_state);
}

TEST_F(BlockedReaderTest, ordinary_users_need_the_mask) {
  ASSERT_EQ(::chmod(base.c_str(), 0755), 0);
  const auto path = make_released("f", 1000);
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  const auto wait = [&] {
    if (::setgroups(0, nullptr) != 0 || ::setgid(12345) != 0 || ::setuid(12345) != 0) return 255;
    return -lhsm_emulator_wait_restored(*open_file(path));
  };
  set("hsm.other_request_mask=ARCHIVE");
  EXPECT_EQ(in_child(wait), EPERM);
  EXPECT_EQ(restores_recorded(), 0);
  set("hsm.other_request_mask=RESTORE");
  const pid_t user = ::fork();
  if (user == 0) ::_exit(wait());
  EXPECT_TRUE(are_waiting(1));
  restore(pattern(1000));
  int status = -1;
  ASSERT_EQ(::waitpid(user, &status, 0), user);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(in_child(wait), 0) << "who cannot read the state is told";
}

TEST_F(BlockedReaderTest, a_copy_of_the_xattrs_is_not_released) {
  const auto path = make_released("f", 10);
  const auto copy = mount + "/copy";
  ASSERT_EQ(shell("cp -a --sparse=always " + quoted(path) + " " + quoted(copy)).code, 0);
  EXPECT_EQ(lhsm_emulator_wait_restored(*open_file(copy)), 0);
  EXPECT_EQ(restores_recorded(), 0);
}

}  // namespace
}  // namespace lhsm::emulator
