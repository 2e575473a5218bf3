// SPDX-License-Identifier: LGPL-2.1-or-later
//
// llapi_hsm_action_end: what it returns, and what becomes of the file.
#include <fstream>
#include <sstream>

#include "conformance/lustre_test.hpp"

namespace lhsm::conformance {
namespace {

class End : public LustreTest {
 protected:
  void begin_archive() {
    file = make("file", 100);
    ASSERT_EQ(submit(HUA_ARCHIVE, file), 0);
    if (ct == nullptr) register_copytool();
    ASSERT_EQ(begin(receive_one()), 0);
  }
  void begin_restore(std::size_t size = 5000) {
    file = make("file", size);
    archive_and_release(file);
    before = stat_of(file);
    ASSERT_EQ(submit(HUA_RESTORE, file), 0);
    ASSERT_EQ(begin(receive_one(), mdt_of(fid_of(file))), 0);
    const Fd data(api.action_get_fd(action));
    const std::string bytes(size, 'b');
    ASSERT_EQ(::pwrite(*data, bytes.data(), size, 0), static_cast<ssize_t>(size));
  }
  [[nodiscard]] std::string record(const std::string& action_name) const {
    for (const auto& line : actions_of(fid_of(file)))
      if (line.action == action_name && line.status != "SUCCEED") return line.status;
    return "SUCCEED";
  }
  static std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  std::string file;
  struct stat before {};
};

TEST_F(End, frees_the_handle_whatever_it_returns) {
  begin_archive();
  hsm_copyaction_private* const handle = action;
  EXPECT_EQ(api.action_end(nullptr, &k_whole, 0, 0), -EINVAL);
  EXPECT_EQ(api.action_end(&action, nullptr, 0, 0), -EINVAL);
  EXPECT_EQ(action, handle) << "bad arguments free nothing";
  EXPECT_EQ(end(), 0);
  EXPECT_EQ(action, nullptr);
  EXPECT_EQ(end(), -EINVAL);
  EXPECT_EQ(state(file), k_archived);
}

TEST_F(End, of_an_archive_whose_file_was_written) {
  begin_archive();
  std::ofstream(file, std::ios::app) << "more";
  EXPECT_EQ(end(), -EBUSY);
  EXPECT_EQ(action, nullptr);
  EXPECT_TRUE(ends_as(fid_of(file), "ARCHIVE", "FAILED"));
  EXPECT_EQ(state(file) & HS_ARCHIVED, 0U);
}

TEST_F(End, of_an_archive_whose_file_had_its_mode_changed) {
  begin_archive();
  ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
  EXPECT_EQ(end(), 0) << "metadata are no content";
  EXPECT_EQ(state(file), k_archived);
}

TEST_F(End, of_a_failed_archive_leaves_exists) {
  begin_archive();
  EXPECT_EQ(end(EIO), 0);
  EXPECT_TRUE(ends_as(fid_of(file), "ARCHIVE", "FAILED"));
  EXPECT_EQ(state(file) & (HS_EXISTS | HS_ARCHIVED), HS_EXISTS);
}

TEST_F(End, of_a_cancel_lands_on_the_cancel_record) {
  begin_archive();
  ASSERT_EQ(submit(HUA_CANCEL, file), 0);
  EXPECT_EQ(receive_one().head.hai_action, HSMA_CANCEL);
  EXPECT_EQ(end(ENOSYS), 0) << "the copytool cannot cancel";
  EXPECT_TRUE(ends_as(fid_of(file), "CANCEL", "FAILED"));
  EXPECT_TRUE(ends_as(fid_of(file), "ARCHIVE", "CANCELED"));
}

TEST_F(End, of_a_cancelled_archive_with_success_is_a_success) {
  begin_archive();
  ASSERT_EQ(submit(HUA_CANCEL, file), 0);
  EXPECT_EQ(receive_one().head.hai_action, HSMA_CANCEL);
  EXPECT_EQ(end(), 0);
  EXPECT_EQ(state(file), k_archived);
  EXPECT_TRUE(ends_as(fid_of(file), "ARCHIVE", "CANCELED"));
}

TEST_F(End, extents_that_overflow_leave_the_request_open) {
  begin_archive();
  EXPECT_EQ(end(0, {2, k_whole_file}), -EINVAL);
  EXPECT_EQ(actions_of(fid_of(file)).at(0).status, "STARTED");
  auto item = Item{};
  item.head.hai_action = HSMA_ARCHIVE;
  item.head.hai_fid = item.head.hai_dfid = fid_of(file);
  item.head.hai_cookie = actions_of(fid_of(file)).at(0).cookie;
  ASSERT_EQ(begin(item), 0);
  EXPECT_EQ(end(EIO, {2, k_whole_file}), 0) << "a failure's extent is not looked at";
}

TEST_F(End, of_a_restore_gives_data_and_times) {
  for (const std::size_t size : {std::size_t{5000}, std::size_t{300'000}}) {
    begin_restore(size);
    EXPECT_EQ(end(), 0);
    EXPECT_EQ(state(file), k_archived);
    const auto now = stat_of(file);
    EXPECT_EQ(now.st_size, static_cast<off_t>(size));
    EXPECT_EQ(now.st_mtim.tv_sec, before.st_mtim.tv_sec);
    EXPECT_EQ(now.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    EXPECT_EQ(now.st_mode, before.st_mode);
    EXPECT_EQ(content(file), std::string(size, 'b'));
    EXPECT_EQ(submit(HUA_RELEASE, file), 0) << "what was restored can be released at once";
    ASSERT_EQ(::unlink(file.c_str()), 0);
  }
}

TEST_F(End, of_a_restore_whose_file_changed_owner) {
  begin_restore();
  ASSERT_EQ(::chown(file.c_str(), 4711, 4711), 0);
  EXPECT_EQ(end(), -EPERM);
  EXPECT_TRUE(ends_as(fid_of(file), "RESTORE", "FAILED"));
  EXPECT_EQ(state(file), k_released);
}

TEST_F(End, of_a_restore_whose_volatile_was_closed) {
  begin_restore();
  const auto cookie = actions_of(fid_of(file)).back().cookie;
  lu_fid fid{};
  ASSERT_EQ(api.action_get_dfid(action, &fid), 0);
  // A copytool that ended badly, and one that reports success for what the first had.
  Item item;
  item.head.hai_action = HSMA_RESTORE;
  item.head.hai_fid = fid_of(file);
  item.head.hai_dfid = fid;
  item.head.hai_cookie = cookie;
  EXPECT_EQ(end(0, {2, k_whole_file}), -EINVAL) << "closes the volatile, leaves the request";
  EXPECT_TRUE(comes_true([&] { return !Fd(api.open_by_fid(mount.c_str(), &fid, O_RDONLY)); }));
  ASSERT_EQ(api.action_begin(&action, ct, &item.head, -1, 0, true), 0);
  EXPECT_NE(end(), 0);
  EXPECT_EQ(state(file), k_released);
}

TEST_F(End, twice) {
  begin_restore();
  Item item;
  item.head.hai_action = HSMA_RESTORE;
  item.head.hai_fid = fid_of(file);
  item.head.hai_cookie = actions_of(fid_of(file)).back().cookie;
  EXPECT_EQ(end(), 0);
  ASSERT_EQ(api.action_begin(&action, ct, &item.head, -1, 0, true), 0);
  EXPECT_EQ(end(EIO), -ENOENT);
}

TEST_F(End, a_write_after_the_end_spoils_the_release) {
  begin_restore();
  EXPECT_EQ(end(), 0);
  {
    const Fd late(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(*late, "late", 4, 0), 4);
  }
  EXPECT_EQ(submit(HUA_RELEASE, file), -EPERM);
  EXPECT_EQ(state(file), k_archived | HS_DIRTY);
}

TEST_F(End, of_a_remove_clears_the_flags) {
  begin_archive();
  ASSERT_EQ(end(), 0);
  ASSERT_EQ(submit(HUA_REMOVE, file), 0);
  ASSERT_EQ(begin(receive_one()), 0);
  EXPECT_EQ(end(), 0);
  EXPECT_EQ(state(file), HS_NONE);
}

TEST_F(End, of_a_failed_remove_changes_nothing) {
  begin_archive();
  ASSERT_EQ(end(), 0);
  ASSERT_EQ(submit(HUA_REMOVE, file), 0);
  ASSERT_EQ(begin(receive_one()), 0);
  EXPECT_EQ(end(EACCES), 0);
  EXPECT_TRUE(ends_as(fid_of(file), "REMOVE", "FAILED"));
  EXPECT_EQ(state(file), k_archived);
}

}  // namespace
}  // namespace lhsm::conformance
