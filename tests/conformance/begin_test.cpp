// SPDX-License-Identifier: LGPL-2.1-or-later
//
// llapi_hsm_action_begin and the volatile file, llapi_hsm_action_progress.
#include <algorithm>

#include "conformance/lustre_test.hpp"

namespace lhsm::conformance {
namespace {

class Begin : public LustreTest {
 protected:
  /// Make, archive, release and ask for the restore of a file; return the item.
  Item item_of_restore(const std::string& name = "file") {
    file = make(name, 5000);
    archive_and_release(file);
    EXPECT_EQ(submit(HUA_RESTORE, file), 0);
    return receive_one();
  }
  [[nodiscard]] lu_fid dfid() const {
    lu_fid fid{};
    EXPECT_EQ(api.action_get_dfid(action, &fid), 0);
    return fid;
  }
  std::string file;
};

class Progress : public Begin {
 protected:
  void begin_archive(std::size_t size = 100) {
    file = make("file", size);
    ASSERT_EQ(submit(HUA_ARCHIVE, file), 0);
    register_copytool();
    item = receive_one();
    ASSERT_EQ(begin(item), 0);
  }
  [[nodiscard]] std::uint64_t done() const {
    hsm_current_action current{};
    EXPECT_EQ(api.current_action(file.c_str(), &current), 0);
    EXPECT_EQ(current.hca_state, HPS_RUNNING);
    return current.hca_location.length;
  }
  Item item;
};

TEST_F(Begin, volatile_is_another_file_of_the_same_owner_without_a_name) {
  const auto item = item_of_restore();
  const auto names = shell("ls -A " + path(".")).text;
  ASSERT_EQ(::chown(file.c_str(), 12345, 54321), 0);
  ASSERT_EQ(begin(item, mdt_of(fid_of(file))), 0);
  EXPECT_NE(text_of(dfid()), text_of(fid_of(file)));
  EXPECT_EQ(mdt_of(dfid()), mdt_of(fid_of(file)));
  EXPECT_EQ(shell("ls -A " + path(".")).text, names);
  const Fd data(api.action_get_fd(action));
  struct stat st {};
  ASSERT_EQ(::fstat(*data, &st), 0);
  EXPECT_EQ(st.st_uid, 12345U);
  EXPECT_EQ(st.st_gid, 54321U);
  EXPECT_EQ(st.st_mode & 07777, 0600U);
  char name[4096];
  const Fd root(::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  long long record = -1;
  int link = 0;
  const auto fid = dfid();
  EXPECT_EQ(api.fid2path_at(*root, &fid, name, sizeof name, &record, &link), -ENOENT);
}

TEST_F(Begin, volatile_is_openable_elsewhere_while_any_descriptor_is_open) {
  const auto item = item_of_restore();
  ASSERT_EQ(begin(item, mdt_of(fid_of(file))), 0);
  const auto fid = dfid();
  EXPECT_EQ(in_child([&] {
              const Fd other(api.open_by_fid(mount.c_str(), &fid, O_WRONLY | O_NOFOLLOW));
              return other && ::pwrite(*other, "tail", 4, 4996) == 4 && ::fsync(*other) == 0 ? 0 : 1;
            }),
            0);
  const Fd kept(api.open_by_fid(mount.c_str(), &fid, O_RDONLY));
  ASSERT_TRUE(kept);
  EXPECT_EQ(end(EIO), 0);
  // The copytool's descriptor is closed, ours is not.
  EXPECT_TRUE(Fd(api.open_by_fid(mount.c_str(), &fid, O_RDONLY)));
}

TEST_F(Begin, volatile_is_gone_with_its_last_descriptor) {
  const auto item = item_of_restore();
  ASSERT_EQ(begin(item, mdt_of(fid_of(file))), 0);
  const auto fid = dfid();
  ASSERT_EQ(end(EIO), 0);
  int rc = 0;
  EXPECT_TRUE(comes_true([&] { return (rc = api.open_by_fid(mount.c_str(), &fid, O_RDONLY)) < 0; }));
  EXPECT_TRUE(rc == -ESTALE || rc == -ENOENT) << rc;
}

TEST_F(Begin, a_volatile_on_another_mdt_is_unknown_there) {
  if (shell("lfs mkdir -i 1 " + path("one")).code != 0) GTEST_SKIP() << "one MDT only";
  const auto item = item_of_restore("one/file");
  ASSERT_EQ(begin(item, 0), 0) << "begin itself asks the file's MDT";
  EXPECT_EQ(progress(0, 1), -ENOENT);
  EXPECT_EQ(end(), -ENOENT);
}

TEST_F(Begin, there_is_no_such_mdt) { EXPECT_EQ(begin(item_of_restore(), 77), -ENODEV); }

TEST_F(Begin, of_a_file_that_is_gone) {
  file = make("file");
  ASSERT_EQ(submit(HUA_ARCHIVE, file), 0);
  register_copytool();
  const auto item = receive_one();
  ASSERT_EQ(::unlink(file.c_str()), 0);
  const int rc = begin(item);
  EXPECT_TRUE(rc == -ENOENT || rc == -ESTALE) << rc;
  ASSERT_EQ(api.action_begin(&action, ct, &item.head, -1, 0, true), 0) << "an error needs no file";
  EXPECT_EQ(end(ENOENT), 0);
}

TEST_F(Begin, of_an_unknown_cookie) {
  auto item = item_of_restore();
  item.head.hai_cookie += 1000;
  EXPECT_EQ(begin(item, mdt_of(fid_of(file))), -ENOENT);
}

TEST_F(Begin, of_an_error_opens_nothing) {
  const auto item = item_of_restore();
  ASSERT_EQ(api.action_begin(&action, ct, &item.head, -1, 0, true), 0);
  EXPECT_EQ(api.action_get_fd(action), -EBADF);
  EXPECT_EQ(end(ENOTSUP), 0);
  EXPECT_TRUE(ends_as(fid_of(file), "RESTORE", "FAILED"));
  EXPECT_EQ(state(file), k_released);
}

TEST_F(Begin, of_a_remove_tolerates_a_missing_file) {
  file = make("file");
  archive(file);
  const auto fid = fid_of(file);
  ASSERT_EQ(::unlink(file.c_str()), 0);
  ASSERT_EQ(submit(HUA_REMOVE, {fid}, {.archive_id = 1}), 0);
  const auto item = receive_one();
  EXPECT_EQ(item.head.hai_action, HSMA_REMOVE);
  ASSERT_EQ(begin(item), 0);
  lu_fid none{};
  EXPECT_EQ(api.action_get_dfid(action, &none), -EINVAL);
  EXPECT_EQ(api.action_get_fd(action), -EINVAL);
  EXPECT_EQ(end(), 0);
  EXPECT_TRUE(ends_as(fid, "REMOVE", "SUCCEED"));
}

TEST_F(Begin, get_fd_is_a_copy_with_the_same_offset) {
  file = make("file", 100);
  ASSERT_EQ(submit(HUA_ARCHIVE, file), 0);
  register_copytool();
  ASSERT_EQ(begin(receive_one()), 0);
  const Fd one(api.action_get_fd(action));
  const Fd two(api.action_get_fd(action));
  ASSERT_TRUE(one && two);
  EXPECT_NE(*one, *two);
  EXPECT_EQ(::lseek(*one, 17, SEEK_SET), 17);
  EXPECT_EQ(::lseek(*two, 0, SEEK_CUR), 17);
  EXPECT_EQ(end(), 0);
}

TEST_F(Progress, intervals_are_united_in_any_order) {
  begin_archive();
  const auto report = [&](std::uint64_t from, std::uint64_t length) {
    EXPECT_EQ(progress(from, length), 0);
    return done();
  };
  EXPECT_EQ(report(80, 40), 40U);
  EXPECT_EQ(report(0, 40), 80U);
  EXPECT_EQ(report(20, 40), 100U);
  EXPECT_EQ(report(80, 40), 100U) << "twice counts once";
  EXPECT_EQ(report(40, 40), 120U) << "adjacent ones grow together";
  EXPECT_EQ(report(1000, 5), 125U) << "beyond the end of the file is accepted";
  EXPECT_EQ(report(3, 0), 125U) << "a length of 0 says only: alive";
}

TEST_F(Progress, refuses_what_overflows) {
  begin_archive();
  EXPECT_EQ(progress(2, k_whole_file), -EINVAL);
  EXPECT_EQ(progress(0, 10), 0) << "the request goes on";
}

TEST_F(Progress, of_a_completed_flag_ends_the_request) {
  begin_archive();
  EXPECT_EQ(progress(0, 10, HP_FLAG_COMPLETED), 0);
  EXPECT_TRUE(ends_as(fid_of(file), "ARCHIVE", "SUCCEED"));
  EXPECT_EQ(progress(0, 10), -ENOENT);
  EXPECT_EQ(end(), -ENOENT);
}

TEST_F(Progress, needs_handle_and_extent) {
  begin_archive();
  const hsm_extent extent{0, 1};
  EXPECT_EQ(api.action_progress(nullptr, &extent, 0, 0), -EINVAL);
  EXPECT_EQ(api.action_progress(action, nullptr, 0, 0), -EINVAL);
}

TEST_F(Progress, of_another_files_fid_is_refused) {
  begin_archive();
  auto foreign = item;
  foreign.head.hai_dfid = foreign.head.hai_fid = fid_of(make("other"));
  hsm_copyaction_private* other = nullptr;
  EXPECT_EQ(api.action_begin(&other, ct, &foreign.head, -1, 0, false), -EINVAL);
}

TEST_F(Progress, may_come_from_any_process) {
  begin_archive();
  EXPECT_EQ(in_child([&] {
              if (progress(0, 7) != 0) return 1;
              return 0;
            }),
            0);
  EXPECT_EQ(done(), 7U);
}

}  // namespace
}  // namespace lhsm::conformance
