// SPDX-License-Identifier: LGPL-2.1-or-later
#include "unit/emulator/coordinator_fixture.hpp"

namespace lhsm::emulator {
namespace {

TEST_F(CoordinatorTest, archive_from_request_to_success) {
  make(1);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1}), 0);
  pass(3s);
  EXPECT_EQ(link.items(), 0U) << "nothing is sent while no agent serves";
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  pass(2s);
  ASSERT_EQ(link.items(), 1U);
  EXPECT_EQ(link.sent[0].items[0].hai_cookie, k_first_cookie);
  EXPECT_EQ(files.files[fid(1)].hsm.flags, HS_EXISTS);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_ARCHIVE), "STARTED");
  EXPECT_EQ(end(k_first_cookie, 1), 0);
  EXPECT_EQ(files.files[fid(1)].hsm.flags, HS_EXISTS | HS_ARCHIVED);
  EXPECT_EQ(files.files[fid(1)].hsm.archive_version, 77U);
  EXPECT_EQ(end(k_first_cookie, 1), -ENOENT);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_ARCHIVE), "SUCCEED");
  pass(80s);
  EXPECT_TRUE(mdt.log().all().empty()) << "forgotten after grace_delay";
}

TEST_F(CoordinatorTest, table_of_skipped_and_refused) {
  struct Case {
    std::uint32_t action;
    std::uint32_t flags;
    int rc;
    std::size_t records;
  };
  const Case cases[] = {
      {abi::HSMA_ARCHIVE, 0, 0, 1},
      {abi::HSMA_ARCHIVE, HS_EXISTS | HS_ARCHIVED, 0, 0},
      {abi::HSMA_ARCHIVE, HS_EXISTS | HS_ARCHIVED | HS_RELEASED, 0, 0},
      {abi::HSMA_ARCHIVE, HS_EXISTS | HS_ARCHIVED | HS_DIRTY, 0, 1},
      {abi::HSMA_ARCHIVE, HS_NOARCHIVE, -EPERM, 0},
      {abi::HSMA_RESTORE, HS_EXISTS | HS_ARCHIVED, 0, 0},
      {abi::HSMA_RESTORE, HS_EXISTS | HS_ARCHIVED | HS_DIRTY, -EPERM, 0},
      {abi::HSMA_RESTORE, HS_EXISTS | HS_ARCHIVED | HS_RELEASED, 0, 1},
      {abi::HSMA_RESTORE, HS_EXISTS | HS_ARCHIVED | HS_RELEASED | HS_LOST, -EPERM, 0},
      {abi::HSMA_REMOVE, 0, 0, 0},
      {abi::HSMA_REMOVE, HS_EXISTS, 0, 1},
      {abi::HSMA_REMOVE, HS_EXISTS | HS_ARCHIVED | HS_RELEASED, -EPERM, 0},
      {abi::HSMA_CANCEL, 0, 0, 0},
  };
  std::uint32_t oid = 0;
  for (const auto& one : cases) {
    make(++oid, one.flags);
    const auto before = mdt.log().all().size();
    EXPECT_EQ(ask(one.action, {oid}), one.rc) << action_name(one.action) << " " << one.flags;
    EXPECT_EQ(mdt.log().all().size() - before, one.records) << action_name(one.action) << " " << one.flags;
  }
}

TEST_F(CoordinatorTest, first_refused_item_ends_the_list_and_earlier_ones_stay) {
  make(1);
  make(2, HS_NOARCHIVE);
  make(3);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1, 2, 3}), -EPERM);
  EXPECT_EQ(mdt.log().all().size(), 1U);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {99}), -ENOENT);
  EXPECT_EQ(ask(abi::HSMA_REMOVE, {99}), 0) << "an administrator may remove what is gone";
  EXPECT_EQ(mdt.log().all().size(), 2U);
}

TEST_F(CoordinatorTest, duplicates_archive_twice_restore_once) {
  make(1);
  make(2, HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1, 1}), 0);
  EXPECT_EQ(mdt.log().all().size(), 1U);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1}), 0);
  EXPECT_EQ(mdt.log().all().size(), 2U);
  EXPECT_EQ(ask(abi::HSMA_RESTORE, {2}), 0);
  EXPECT_EQ(ask(abi::HSMA_RESTORE, {2}), 0);
  EXPECT_EQ(mdt.log().all().size(), 3U);
}

TEST_F(CoordinatorTest, non_blocking_restore_is_recorded_and_enodata) {
  make(1, HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  EXPECT_EQ(mdt.settings.set("policy", "+NBR"), 0);
  EXPECT_EQ(ask(abi::HSMA_RESTORE, {1}), -ENODATA);
  EXPECT_EQ(mdt.log().all().size(), 1U);
}

TEST_F(CoordinatorTest, ordinary_user_may_restore_only) {
  make(1);
  files.files[fid(1)].uid = 1000;
  Request request;
  request.action = abi::HSMA_ARCHIVE;
  request.items = {{fid(1)}};
  EXPECT_EQ(mdt.submit(request, Caller{1000, {}, false}, now), -EPERM);
  EXPECT_EQ(mdt.settings.set("user_request_mask", "RESTORE ARCHIVE"), 0);
  EXPECT_EQ(mdt.submit(request, Caller{1000, {}, false}, now), 0);
  EXPECT_EQ(mdt.submit(request, Caller{1001, {}, false}, now), -EPERM);
}

TEST_F(CoordinatorTest, max_requests_bounds_what_runs_and_the_end_of_all_nudges) {
  for (std::uint32_t oid = 1; oid <= 7; ++oid) make(oid);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1, 2, 3, 4, 5, 6, 7}), 0);
  pass(5s);
  EXPECT_EQ(link.items(), 3U);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(end(k_first_cookie + i, i + 1), 0);
  mdt.tick(now);
  EXPECT_EQ(link.items(), 6U) << "at once, without waiting for the second to be over";
}

TEST_F(CoordinatorTest, lists_hold_70_items_and_one_archive_id) {
  mdt.settings.max_requests = 1000;
  std::vector<std::uint32_t> oids;
  for (std::uint32_t oid = 1; oid <= 150; ++oid) {
    make(oid);
    oids.push_back(oid);
  }
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {oids.begin(), oids.begin() + 149}, 1), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {150}, 2, "abc"), 0);
  pass(2s);
  ASSERT_EQ(link.sent.size(), 4U);
  EXPECT_EQ(link.sent[0].items.size(), 70U);
  EXPECT_LE(link.sent[0].bytes, 5120U);
  EXPECT_EQ(link.sent[1].items.size(), 70U);
  EXPECT_EQ(link.sent[2].items.size(), 9U);
  EXPECT_EQ(link.sent[3].archive_id, 2U);
  EXPECT_EQ(link.sent[3].items[0].hai_len, 75U) << "not rounded";
}

TEST_F(CoordinatorTest, a_restore_pushes_out_the_last_picked) {
  for (std::uint32_t oid = 1; oid <= 3; ++oid) make(oid);
  make(9, HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1, 2, 3}), 0);
  EXPECT_EQ(ask(abi::HSMA_RESTORE, {9}), 0);
  pass(2s);
  ASSERT_EQ(link.items(), 3U);
  EXPECT_EQ(link.sent.at(0).items.back().hai_action, abi::HSMA_RESTORE);
  EXPECT_EQ(status_of(k_first_cookie + 2, abi::HSMA_ARCHIVE), "WAITING");
}

}  // namespace
}  // namespace lhsm::emulator
