// SPDX-License-Identifier: LGPL-2.1-or-later
//
// lfs and the rarer library calls, as administrator and as an ordinary user.
#include <grp.h>

#include "client/mount.hpp"
#include "unit/emulator/emulator_fixture.hpp"

extern "C" {
int llapi_hsm_import(const char* dst, int archive, const struct stat* st, unsigned long long stripe_size,
                     int stripe_offset, int stripe_count, int stripe_pattern, char* pool_name,
                     lhsm::abi::lu_fid* new_fid);
int llapi_hsm_data_version_set(int fd, std::uint64_t version);
}

namespace lhsm::emulator {
namespace {

constexpr std::uint32_t k_archived = HS_EXISTS | HS_ARCHIVED;
constexpr std::uint32_t k_released = k_archived | HS_RELEASED;
constexpr uid_t k_user = 12345;

class CommandsTest : public EmulatorTest {
 protected:
  /// Run lfs as an ordinary user.
  [[nodiscard]] int as_user(const std::string& command) const {
    return in_child([&] {
      if (::setgroups(0, nullptr) != 0 || ::setgid(k_user) != 0 || ::setuid(k_user) != 0) return 99;
      return shell(command).code;
    });
  }
  void open_to_users() const { ASSERT_EQ(::chmod(base.c_str(), 0755), 0); }
  [[nodiscard]] std::string fid_text(const std::string& path) const {
    const auto output = shell("lfs path2fid " + quoted(path));
    return output.text.substr(0, output.text.find('\n'));
  }
};

TEST_F(CommandsTest, import_makes_a_released_file) {
  const auto path = mount + "/imported";
  struct stat wanted {};
  wanted.st_uid = 11;
  wanted.st_gid = 12;
  wanted.st_mode = S_IFREG | 0640;
  wanted.st_size = 1'000'000;
  wanted.st_mtim = {1'500'000'000, 123'456'789};
  wanted.st_atim = {1'400'000'000, 0};
  lu_fid fid{};
  ASSERT_EQ(llapi_hsm_import(path.c_str(), 7, &wanted, 0, -1, 0, 0, nullptr, &fid), 0);
  EXPECT_EQ(state(path), k_released);
  const auto st = stat_of(path);
  EXPECT_EQ(st.st_size, wanted.st_size);
  EXPECT_EQ(st.st_blocks, 0);
  EXPECT_EQ(st.st_mode, wanted.st_mode);
  EXPECT_EQ(st.st_uid, 11U);
  EXPECT_EQ(st.st_gid, 12U);
  EXPECT_EQ(st.st_mtim.tv_sec, wanted.st_mtim.tv_sec);
  EXPECT_EQ(st.st_mtim.tv_nsec, wanted.st_mtim.tv_nsec);
  EXPECT_EQ(fid_text(path), from_abi(fid).bracketed());
  EXPECT_EQ(llapi_hsm_import(path.c_str(), 7, &wanted, 0, -1, 0, 0, nullptr, &fid), -EEXIST);
  // It can be restored, which is what it was imported for.
  request(path, HUA_RESTORE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, 0, false), 0);
  ASSERT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
  EXPECT_EQ(state(path), k_archived);
}

TEST_F(CommandsTest, data_version_set_decides_about_release) {
  const auto path = make("f", 10);
  archive(path);
  const Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  std::uint64_t version = 0;
  ASSERT_EQ(llapi_get_data_version(*fd, &version, 0), 0);
  EXPECT_EQ(shell("lfs data_version " + quoted(path)).text, std::to_string(version) + "\n");
  EXPECT_EQ(llapi_hsm_data_version_set(*fd, 0), -EINVAL);
  EXPECT_EQ(llapi_hsm_data_version_set(*fd, version + 1), 0);
  EXPECT_NE(shell("exec 3>&-; lfs hsm_release " + quoted(path)).code, 0);
  EXPECT_EQ(llapi_hsm_data_version_set(*fd, version), 0);
}

TEST_F(CommandsTest, mkdir_on_an_mdt) {
  EXPECT_EQ(shell("lfs mkdir -i 1 " + quoted(mount + "/on1") + " && mkdir " + quoted(mount + "/on1/sub")).code, 0);
  make("on1/sub/f", 1);
  make("g", 1);
  const auto output = shell("cd " + quoted(mount) + " && lfs getstripe -m on1 on1/sub on1/sub/f g");
  EXPECT_EQ(output.code, 0);
  EXPECT_EQ(output.text, "1\n1\n1\n0\n");
  EXPECT_NE(shell("lfs mkdir -i 2 " + quoted(mount + "/on2")).code, 0) << "there are two MDTs";
  EXPECT_FALSE(std::filesystem::exists(mount + "/on2"));
}

TEST_F(CommandsTest, hsm_set_and_clear) {
  const auto path = make("f", 10);
  EXPECT_EQ(shell("lfs hsm_set --norelease --noarchive " + quoted(path)).code, 0);
  EXPECT_EQ(state(path), HS_NORELEASE | HS_NOARCHIVE);
  EXPECT_NE(shell("lfs hsm_archive " + quoted(path)).code, 0);
  EXPECT_EQ(shell("lfs hsm_clear --noarchive " + quoted(path)).code, 0);
  EXPECT_EQ(state(path), HS_NORELEASE);
  archive(path, HS_NORELEASE);
  EXPECT_NE(shell("lfs hsm_release " + quoted(path)).code, 0);
  EXPECT_EQ(shell("lfs hsm_clear --norelease " + quoted(path) + " && lfs hsm_release " + quoted(path)).code, 0);
  EXPECT_EQ(state(path), k_released);
  EXPECT_NE(shell("lfs hsm_set --dirty " + quoted(path)).code, 0) << "released and dirty is nothing";
  EXPECT_NE(shell("lfs hsm_set " + quoted(path)).code, 0) << "no flag";
}

TEST_F(CommandsTest, options_of_requests) {
  const auto odd = make("a b\xc3\xa9", 10);
  const auto other = make("g", 10);
  const auto list = base + "/list";
  std::ofstream(list) << odd << "\n" << other << "\n";
  ASSERT_EQ(shell("lfs hsm_archive --archive 3 --data 'some data' --filelist " + quoted(list)).code, 0);
  const auto log = shell("lctl get_param -n mdt.*.hsm.actions");
  EXPECT_NE(log.text.find("archive#=3"), std::string::npos) << log.text;
  EXPECT_NE(log.text.find("data=[736F6D6520]"), std::string::npos) << "the log shows five bytes: " << log.text;
  const auto item = receive();
  EXPECT_EQ(item.hai_len, sizeof item + 9);
  EXPECT_NE(shell("lfs hsm_archive --filelist " + quoted(base + "/none")).code, 0);
  EXPECT_NE(shell("lfs hsm_restore --archive 3 " + quoted(odd)).code, 0) << "only when archiving or removing";
}

TEST_F(CommandsTest, remove_by_fid_after_the_file_is_gone) {
  const auto path = make("f", 10);
  archive(path);
  const auto fid = fid_text(path);
  std::filesystem::remove(path);
  ASSERT_EQ(shell("lfs hsm_remove --mntpath " + quoted(mount) + " --archive 1 " + fid).code, 0);
  const auto item = receive();
  EXPECT_EQ(item.hai_action, std::uint32_t{HSMA_REMOVE});
  EXPECT_EQ(from_abi(item.hai_fid).bracketed(), fid);
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, 0, false), 0);
  EXPECT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
  EXPECT_NE(shell("lfs hsm_remove --mntpath " + quoted(mount) + " nonsense").code, 0);
}

TEST_F(CommandsTest, an_ordinary_user_may_look_and_restore) {
  open_to_users();
  const auto path = make("f", 10);
  const auto fid = fid_text(path);
  ASSERT_EQ(::chown(path.c_str(), k_user, k_user), 0);
  archive_and_release(path);
  EXPECT_EQ(as_user("lfs hsm_state " + quoted(path) + " && lfs hsm_action " + quoted(path)), 0);
  EXPECT_EQ(as_user("lfs hsm_cancel " + quoted(path)), 0) << "nothing to cancel is no error";
  const auto fresh = make("h", 10);
  ASSERT_EQ(::chown(fresh.c_str(), k_user, k_user), 0);
  EXPECT_NE(as_user("lfs hsm_archive " + quoted(fresh)), 0);
  EXPECT_EQ(state(fresh), 0U);
  EXPECT_NE(as_user("lfs hsm_remove " + quoted(path)), 0);
  const auto foreign = make("i", 10);
  archive(foreign);
  EXPECT_NE(as_user("lfs hsm_release " + quoted(foreign)), 0);
  EXPECT_EQ(state(foreign), k_archived);
  ASSERT_EQ(::chown(foreign.c_str(), k_user, k_user), 0);
  EXPECT_EQ(as_user("lfs hsm_release " + quoted(foreign)), 0);
  EXPECT_EQ(state(foreign), k_released);
  EXPECT_NE(as_user("lfs hsm_set --lost " + quoted(path)), 0);
  EXPECT_NE(as_user("lctl set_param mdt.*.hsm.max_requests=5"), 0);
  EXPECT_EQ(as_user(quoted((programs() / "emulator_copytool_probe").native()) + " " + quoted(library().native()) + " " +
                    quoted(mount) + " leave"),
            1)
      << "no copytool of a user's";
  EXPECT_EQ(as_user("lfs hsm_restore " + quoted(path)), 0);
  EXPECT_EQ(receive().hai_action, std::uint32_t{HSMA_RESTORE});
  EXPECT_NE(as_user("lfs hsm_cancel " + quoted(path)), 0);
  EXPECT_EQ(shell("lctl set_param mdt.*.hsm.user_request_mask=ARCHIVE").code, 0);
  const auto second = make("g", 10);
  ASSERT_EQ(::chown(second.c_str(), k_user, k_user), 0);
  archive_and_release(second);
  EXPECT_NE(as_user("lfs hsm_restore " + quoted(second)), 0);
  EXPECT_EQ(as_user("lfs hsm_archive " + quoted(fresh)), 0);
}

TEST_F(CommandsTest, a_user_opens_no_file_of_others_by_fid) {
  open_to_users();
  const auto path = make("secret", 10);
  lu_fid fid{};
  ASSERT_EQ(llapi_path2fid(path.c_str(), &fid), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0) << "its directory is what protects it";
  EXPECT_EQ(in_child([&] {
              if (::setgroups(0, nullptr) != 0 || ::setgid(k_user) != 0 || ::setuid(k_user) != 0) return 99;
              const int fd = llapi_open_by_fid(mount.c_str(), &fid, O_RDONLY);
              return fd >= 0 ? 0 : -fd;
            }),
            EPERM);
}

TEST_F(CommandsTest, a_release_killed_before_the_data_go_loses_nothing) {
  const auto path = make("f", 10);
  archive(path);
  lu_fid fid{};
  ASSERT_EQ(llapi_path2fid(path.c_str(), &fid), 0);
  // What a client does first, and no more.
  Writer call;
  call.put(Op::release).put(from_abi(fid));
  EXPECT_EQ(find_mount(mount)->call(call).rc, 0);
  kill_daemon();
  EXPECT_EQ(llapi_hsm_copytool_unregister(&ct), 0);
  start();
  EXPECT_EQ(state(path), k_released);
  EXPECT_EQ(shell("cat " + quoted(path)).text, std::string(10, 'a')) << "as a program without the library sees it";
  // The next release, and a restore, find it as any released file.
  request(path, HUA_RELEASE);
  request(path, HUA_RESTORE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, 0, false), 0);
  {
    const Fd fd(llapi_hsm_action_get_fd(action));
    ASSERT_EQ(::pwrite(*fd, "bbbbbbbbbb", 10, 0), 10);
  }
  ASSERT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
  EXPECT_EQ(content(path), std::string(10, 'b'));
  EXPECT_EQ(state(path), k_archived);
}

TEST_F(CommandsTest, a_file_with_a_new_inode_is_found_by_its_fid) {
  const std::size_t large = 300'000;
  const auto path = make("f", large);
  lu_fid fid{};
  ASSERT_EQ(llapi_path2fid(path.c_str(), &fid), 0);
  archive_and_release(path);
  const Fd old(llapi_open_by_fid(mount.c_str(), &fid, O_RDONLY));  // the client knows its handle now
  ASSERT_TRUE(old);
  const auto inode = stat_of(path).st_ino;
  request(path, HUA_RESTORE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, 0, false), 0);
  {
    const Fd fd(llapi_hsm_action_get_fd(action));
    const std::string text(large, 'n');
    ASSERT_EQ(::pwrite(*fd, text.data(), text.size(), 0), static_cast<ssize_t>(large));
  }
  const_cast<Fd&>(old).reset();
  ASSERT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
  EXPECT_NE(stat_of(path).st_ino, inode);
  const Fd now(llapi_open_by_fid(mount.c_str(), &fid, O_RDONLY));
  ASSERT_TRUE(now);
  struct stat st {};
  ASSERT_EQ(::fstat(*now, &st), 0);
  EXPECT_EQ(st.st_ino, stat_of(path).st_ino);
  ASSERT_EQ(emulator("stop " + quoted(mount)), 0);
  EXPECT_EQ(llapi_open_by_fid(mount.c_str(), &fid, O_RDONLY), -ENOTCONN);
  EXPECT_EQ(llapi_hsm_copytool_unregister(&ct), 0);
}

TEST_F(CommandsTest, volatiles_of_parent_and_child_differ) {
  const Fd first(llapi_create_volatile_idx(mount.c_str(), 0, O_RDWR));
  ASSERT_TRUE(first);
  EXPECT_EQ(in_child([&] {
              for (int i = 0; i < 3; ++i)
                if (llapi_create_volatile_idx(mount.c_str(), 0, O_RDWR) < 0) return 1;
              return 0;
            }),
            0);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Fd(llapi_create_volatile_idx(mount.c_str(), i % 2, O_RDWR))) << i;
  EXPECT_EQ(llapi_create_volatile_idx(mount.c_str(), 2, O_RDWR), -ENODEV);
}

}  // namespace
}  // namespace lhsm::emulator
