// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a request meets when it is recorded: llapi_hsm_request.
#include "conformance/lustre_test.hpp"

namespace lhsm::conformance {
namespace {

class Requests : public LustreTest {
 protected:
  std::string made_with(std::uint32_t flags) {
    const auto file = make("file" + std::to_string(m_files++));
    if (flags != 0) {
      EXPECT_EQ(api.state_set(file.c_str(), flags, 0, 0), 0);
      EXPECT_EQ(state(file), flags);
    }
    return file;
  }
  int m_files = 0;
};

TEST_F(Requests, hold_52_items_or_less_with_data) {
  std::vector<lu_fid> fids;
  for (int i = 0; i < 52; ++i) fids.push_back(fid_of(make("f" + std::to_string(i), 0)));
  EXPECT_EQ(submit(HUA_ARCHIVE, fids, {.data = std::string(18, 'x')}), -E2BIG);
  EXPECT_EQ(actions_of(fids[0]).size(), 0U) << "nothing of it is sent";
  EXPECT_EQ(submit(HUA_ARCHIVE, fids, {.data = std::string(17, 'x')}), 0);
  EXPECT_EQ(actions_of(fids[51]).size(), 1U);
  fids.push_back(fid_of(make("f53", 0)));
  EXPECT_EQ(submit(HUA_ARCHIVE, fids), -E2BIG);
  EXPECT_EQ(submit(HUA_ARCHIVE, std::vector<lu_fid>{}), 0);
}

TEST_F(Requests, table_of_skipped_refused_and_recorded) {
  struct Case {
    std::uint32_t action;
    std::uint32_t flags;
    std::uint64_t request_flags;
    int rc;
    std::size_t records;
  };
  const Case cases[] = {
      {HUA_ARCHIVE, 0, 0, 0, 1},
      {HUA_ARCHIVE, k_archived, 0, 0, 0},
      {HUA_ARCHIVE, k_archived, HSM_FORCE_ACTION, -EPERM, 0},
      {HUA_ARCHIVE, k_archived | HS_DIRTY, 0, 0, 1},
      {HUA_ARCHIVE, HS_NOARCHIVE, 0, -EPERM, 0},
      {HUA_ARCHIVE, HS_EXISTS, 0, 0, 1},
      {HUA_RESTORE, 0, 0, 0, 0},
      {HUA_RESTORE, 0, HSM_FORCE_ACTION, -EPERM, 0},
      {HUA_RESTORE, k_archived, 0, 0, 0},
      {HUA_RESTORE, k_archived | HS_DIRTY, 0, -EPERM, 0},
      {HUA_REMOVE, 0, 0, 0, 0},
      {HUA_REMOVE, HS_EXISTS, 0, 0, 1},
      {HUA_REMOVE, k_archived, 0, 0, 1},
      {HUA_CANCEL, 0, 0, 0, 0},
  };
  for (const auto& one : cases) {
    const auto fid = fid_of(made_with(one.flags));
    EXPECT_EQ(submit(one.action, {fid}, {.flags = one.request_flags}), one.rc) << one.action << " on " << one.flags;
    EXPECT_EQ(actions_of(fid).size(), one.records) << one.action << " on " << one.flags;
  }
}

TEST_F(Requests, of_released_files) {
  const auto file = make("file");
  archive_and_release(file);
  EXPECT_EQ(submit(HUA_ARCHIVE, file), 0) << "skipped";
  EXPECT_EQ(submit(HUA_REMOVE, file), -EPERM);
  EXPECT_EQ(submit(HUA_RESTORE, {fid_of(file)}, {.extent = {4096, 100}}), -EPROTO);
  EXPECT_EQ(submit(HUA_RELEASE, file), 0) << "released already";
  const auto before = actions_of(fid_of(file)).size();
  EXPECT_EQ(submit(HUA_RESTORE, file), 0);
  EXPECT_EQ(submit(HUA_RESTORE, file), 0) << "a second restore is dropped";
  EXPECT_EQ(actions_of(fid_of(file)).size(), before + 1);
  EXPECT_EQ(restore(file, 10), 0);
}

TEST_F(Requests, the_first_error_ends_a_list_and_what_was_recorded_stays) {
  const auto first = fid_of(make("first"));
  const auto bad = fid_of(made_with(HS_NOARCHIVE));
  const auto last = fid_of(make("last"));
  EXPECT_EQ(submit(HUA_ARCHIVE, {first, bad, last}), -EPERM);
  EXPECT_EQ(actions_of(first).size(), 1U);
  EXPECT_EQ(actions_of(last).size(), 0U);
  register_copytool();
  EXPECT_EQ(text_of(receive_one().head.hai_fid), text_of(first)) << "sent at the next housekeeping";
}

TEST_F(Requests, duplicates) {
  const auto fid = fid_of(make("file"));
  EXPECT_EQ(submit(HUA_ARCHIVE, {fid, fid, fid}), 0);
  EXPECT_EQ(actions_of(fid).size(), 1U) << "repeated in a list: dropped";
  EXPECT_EQ(submit(HUA_ARCHIVE, {fid}), 0);
  EXPECT_EQ(actions_of(fid).size(), 2U) << "a second archive: recorded";
}

TEST_F(Requests, the_second_of_two_archives_fails_when_it_is_sent) {
  set_param("max_requests", "1");
  const auto file = make("file");
  const auto fid = fid_of(file);
  EXPECT_EQ(submit(HUA_ARCHIVE, {fid}), 0);
  EXPECT_EQ(submit(HUA_ARCHIVE, {fid}), 0);
  register_copytool();
  ASSERT_EQ(begin(receive_one()), 0);
  ASSERT_EQ(end(), 0);
  EXPECT_TRUE(ends_as(fid, "ARCHIVE", "FAILED"));
}

TEST_F(Requests, of_files_that_are_gone) {
  const auto file = make("file");
  const auto fid = fid_of(file);
  ASSERT_EQ(::unlink(file.c_str()), 0);
  EXPECT_EQ(submit(HUA_ARCHIVE, {fid}), -ENOENT);
  EXPECT_EQ(submit(HUA_RESTORE, {fid}), -ENOENT);
  EXPECT_EQ(submit(HUA_CANCEL, {fid}), 0);
  EXPECT_EQ(submit(HUA_REMOVE, {fid}, {.archive_id = 1}), 0) << "root may remove the object of a file that is gone";
  EXPECT_EQ(actions_of(fid).size(), 1U);
}

TEST_F(Requests, that_make_no_sense) {
  const auto fid = fid_of(make("file"));
  EXPECT_EQ(submit(HUA_NONE, {fid}), -EINVAL);
  EXPECT_EQ(submit(99, {fid}), -EINVAL);
}

TEST_F(Requests, archive_of_a_directory_is_accepted) {
  EXPECT_EQ(submit(HUA_ARCHIVE, {fid_of(path("."))}), 0) << "to reject it is the copytool's part";
}

TEST_F(Requests, archive_ids) {
  const auto own = make("own");
  const auto none = make("none");
  ASSERT_EQ(api.state_set(own.c_str(), HS_EXISTS, 0, 5), 0);
  EXPECT_EQ(submit(HUA_ARCHIVE, {fid_of(own)}, {.archive_id = 6}), -EPERM);
  EXPECT_EQ(submit(HUA_ARCHIVE, {fid_of(own), fid_of(none)}), 0);
  EXPECT_EQ(actions_of(fid_of(own)).at(0).archive_id, 5U) << "the file's";
  EXPECT_EQ(actions_of(fid_of(none)).at(0).archive_id, 1U) << "the default";
  register_copytool({9});
  ASSERT_EQ(submit(HUA_ARCHIVE, {fid_of(make("nine"))}, {.archive_id = 9}), 0);
  EXPECT_EQ(receive_one().archive_id, 9U);
  EXPECT_EQ(actions_of(fid_of(own)).at(0).status, "WAITING") << "an id that nobody serves is no error";
}

TEST_F(Requests, non_blocking_restore_is_recorded_and_says_enodata) {
  const auto file = make("file");
  archive_and_release(file);
  set_param("policy", "+NBR");
  EXPECT_EQ(submit(HUA_RESTORE, file), -ENODATA);
  EXPECT_EQ(restore(file, 10), 0);
  EXPECT_EQ(state(file), k_archived);
}

TEST_F(Requests, of_ordinary_users_follow_the_masks) {
  const auto file = make("file");
  ASSERT_EQ(::chown(file.c_str(), 65534, 65534), 0);
  const auto as_user = [&](std::uint32_t action_wanted) {
    return in_child([&] { return ::setuid(65534) != 0 ? 1 : -submit(action_wanted, {fid_of(file)}); });
  };
  EXPECT_EQ(as_user(HUA_ARCHIVE), EPERM);
  set_param("user_request_mask", "RESTORE ARCHIVE");
  EXPECT_EQ(as_user(HUA_ARCHIVE), 0);
  EXPECT_EQ(as_user(HUA_REMOVE), EPERM);
}

TEST_F(Requests, to_a_stopped_coordinator_are_to_be_tried_again) {
  const auto fid = fid_of(make("file"));
  hsm_control("shutdown");
  EXPECT_EQ(submit(HUA_ARCHIVE, {fid}), -EAGAIN);
  hsm_control("enabled");
  EXPECT_TRUE(comes_true([&] { return submit(HUA_ARCHIVE, {fid}) == 0; }));
  hsm_control("disabled");
  register_copytool();
  EXPECT_EQ(submit(HUA_ARCHIVE, {fid_of(make("other"))}), 0) << "disabled: accepted, not sent";
  hsm_control("enabled");
  EXPECT_EQ(receive_one().head.hai_action, HSMA_ARCHIVE);
}

TEST_F(Requests, release_is_the_callers_own_work) {
  const auto file = make("file", 5000);
  EXPECT_EQ(submit(HUA_RELEASE, file), -EPERM) << "not archived";
  archive(file);
  {
    const Fd open(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(submit(HUA_RELEASE, file), -EBUSY);
  }
  ASSERT_EQ(api.state_set(file.c_str(), HS_NORELEASE, 0, 0), 0);
  EXPECT_EQ(submit(HUA_RELEASE, file), -EPERM);
  ASSERT_EQ(api.state_set(file.c_str(), 0, HS_NORELEASE, 0), 0);
  const auto before = stat_of(file);
  EXPECT_EQ(submit(HUA_RELEASE, file), 0);
  const auto now = stat_of(file);
  EXPECT_EQ(now.st_size, before.st_size);
  EXPECT_EQ(now.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
  EXPECT_LE(now.st_blocks, 1);
}

}  // namespace
}  // namespace lhsm::conformance
