// SPDX-License-Identifier: LGPL-2.1-or-later
#include "unit/emulator/coordinator_fixture.hpp"

namespace lhsm::emulator {
namespace {

TEST_F(CoordinatorTest, cancel_of_a_running_archive) {
  make(1);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1}), 0);
  pass(2s);
  EXPECT_EQ(ask(abi::HSMA_CANCEL, {1}), 0);
  pass(2s);
  ASSERT_EQ(link.items(), 2U);
  EXPECT_EQ(link.sent[1].items[0].hai_action, abi::HSMA_CANCEL);
  EXPECT_EQ(link.sent[1].items[0].hai_cookie, k_first_cookie) << "that of its target";
  EXPECT_EQ(keep_alive(k_first_cookie, fid(1)), -ECANCELED);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_ARCHIVE), "CANCELED");
  EXPECT_EQ(end(k_first_cookie, 1, ECANCELED), 0);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_CANCEL), "SUCCEED");
}

TEST_F(CoordinatorTest, a_cancel_needs_a_free_slot_but_purge_does_not) {
  mdt.settings.max_requests = 1;
  make(1);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1}), 0);
  pass(2s);
  EXPECT_EQ(ask(abi::HSMA_CANCEL, {1}), 0);
  pass(20s);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_CANCEL), "WAITING");
  EXPECT_EQ(mdt.control("purge", now), 0);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_CANCEL), "CANCELED");
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_ARCHIVE), "CANCELED");
  EXPECT_EQ(keep_alive(k_first_cookie, fid(1)), 0) << "purge does not mark what runs";
}

TEST_F(CoordinatorTest, silence_is_cancelled_and_progress_keeps_alive) {
  make(1);
  make(2);
  mdt.settings.active_request_timeout = 20;
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1, 2}), 0);
  pass(15s);
  EXPECT_EQ(keep_alive(k_first_cookie, fid(1)), 0);
  pass(19s);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_ARCHIVE), "STARTED");
  EXPECT_EQ(status_of(k_first_cookie + 1, abi::HSMA_ARCHIVE), "CANCELED");
  EXPECT_EQ(end(k_first_cookie + 1, 2), -ENOENT);
  EXPECT_EQ(mdt.agents().list()[0].failed, 1U);
}

TEST_F(CoordinatorTest, restore_ends_with_a_swap_of_the_named_volatile) {
  make(1, HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_RESTORE, {1}), 0);
  pass(2s);
  EXPECT_EQ(keep_alive(k_first_cookie, fid(1)), 0) << "begin names the file";
  EXPECT_EQ(keep_alive(k_first_cookie, fid(500)), 0) << "progress names the volatile";
  EXPECT_EQ(keep_alive(k_first_cookie, fid(501)), -EINVAL);
  EXPECT_EQ(end(k_first_cookie, 500), 0);
  ASSERT_TRUE(swap.has_value());
  EXPECT_EQ(swap->volatile_file, fid(500));
  EXPECT_EQ(swap->after.flags, HS_EXISTS | HS_ARCHIVED);
  EXPECT_TRUE(mdt.restore_is_registered(fid(1)));
  EXPECT_EQ(mdt.finish_restore(*swap, -EPERM, now), -EPERM);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_RESTORE), "FAILED");
  EXPECT_FALSE(mdt.restore_is_registered(fid(1)));
}

TEST_F(CoordinatorTest, success_of_a_restore_without_volatile_is_refused) {
  make(1, HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_RESTORE, {1}), 0);
  pass(2s);
  EXPECT_EQ(end(k_first_cookie, 1), -EPERM);
  EXPECT_EQ(files.files[fid(1)].hsm.flags, HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
}

TEST_F(CoordinatorTest, retry_is_heard_only_without_no_retry_action) {
  make(1);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1}), 0);
  pass(2s);
  EXPECT_EQ(end(k_first_cookie, 1, EIO, abi::HP_FLAG_RETRY), 0);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_ARCHIVE), "FAILED");
  EXPECT_EQ(mdt.settings.set("policy", "-NRA"), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1}), 0);
  pass(2s);
  EXPECT_EQ(end(k_first_cookie + 1, 1, EIO, abi::HP_FLAG_RETRY), 0);
  EXPECT_EQ(status_of(k_first_cookie + 1, abi::HSMA_ARCHIVE), "WAITING");
  pass(11s);
  EXPECT_EQ(link.items(), 3U);
}

TEST_F(CoordinatorTest, a_dead_agent_is_dropped_and_its_records_wait) {
  make(1);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1}), 0);
  link.dead = true;
  pass(2s);
  EXPECT_TRUE(mdt.agents().list().empty());
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_ARCHIVE), "WAITING");
  link.dead = false;
  EXPECT_EQ(mdt.register_agent("b", {}), 0);
  pass(11s);
  EXPECT_EQ(link.items(), 1U);
}

TEST_F(CoordinatorTest, least_loaded_agent_of_the_archive_gets_the_list) {
  mdt.settings.max_requests = 100;
  make(1);
  make(2);
  const std::uint32_t one[] = {1};
  EXPECT_EQ(mdt.register_agent("any", {}), 0);
  EXPECT_EQ(mdt.register_agent("one", one), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1}, 1), 0);
  pass(2s);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {2}, 1), 0);
  pass(2s);
  ASSERT_EQ(link.sent.size(), 2U);
  EXPECT_EQ(link.sent[0].agent, "any");
  EXPECT_EQ(link.sent[1].agent, "one");
}

TEST_F(CoordinatorTest, shutdown_forgets_agents_and_restores_come_again_with_their_cookie) {
  make(1, HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  make(2);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_RESTORE, {1}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {2}), 0);
  pass(2s);
  EXPECT_EQ(mdt.control("shutdown", now), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {2}), -EAGAIN);
  EXPECT_EQ(keep_alive(k_first_cookie, fid(1)), -EAGAIN);
  EXPECT_EQ(mdt.register_agent("a", {}), -ENXIO);
  EXPECT_EQ(mdt.control("enabled", now), 0);
  EXPECT_TRUE(mdt.agents().list().empty());
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  pass(11s);
  ASSERT_EQ(link.sent.size(), 2U);
  ASSERT_EQ(link.sent[1].items.size(), 1U);
  EXPECT_EQ(link.sent[1].items[0].hai_cookie, k_first_cookie);
  EXPECT_EQ(keep_alive(k_first_cookie + 1, fid(2)), -ENOENT) << "an archive is an orphan then";
}

TEST_F(CoordinatorTest, disabled_accepts_and_sends_nothing) {
  make(1);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(mdt.control("disabled", now), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1}), 0);
  pass(20s);
  EXPECT_EQ(link.items(), 0U);
  EXPECT_EQ(mdt.control("enabled", now), 0);
  pass(2s);
  EXPECT_EQ(link.items(), 1U);
}

TEST_F(CoordinatorTest, state_that_changed_meanwhile_fails_at_send) {
  make(1);
  make(2);
  EXPECT_EQ(mdt.register_agent("a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1, 2}), 0);
  files.files[fid(1)].hsm.flags = HS_NOARCHIVE;
  pass(2s);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_ARCHIVE), "FAILED");
  ASSERT_EQ(link.items(), 1U);
  EXPECT_EQ(link.sent[0].items[0].hai_cookie, k_first_cookie + 1);
}

TEST_F(CoordinatorTest, texts_are_lustres) {
  make(1);
  EXPECT_EQ(mdt.register_agent("2c8adebb-d295-4e9d-9808-0bf75764eb8a", {}), 0);
  EXPECT_EQ(ask(abi::HSMA_ARCHIVE, {1}, 0, "abcdefg"), 0);
  pass(2s);
  EXPECT_EQ(actions_text(mdt),
            "lrh=[type=10680000 len=144 idx=1/1] fid=[0x200000401:0x1:0x0] dfid=[0x200000401:0x1:0x0] "
            "compound/cookie=0x0/0x3e8 action=ARCHIVE archive#=1 flags=0x0 extent=0x0-0xffffffffffffffff gid=0x0 "
            "datalen=7 status=STARTED data=[6162636465]\n");
  EXPECT_EQ(active_requests_text(mdt),
            "fid=[0x200000401:0x1:0x0] dfid=[0x200000401:0x1:0x0] compound/cookie=0x0/0x3e8 action=ARCHIVE archive#=1 "
            "flags=0x0 extent=0x0-0xffffffffffffffff gid=0x0 data=[6162636465] canceled=0 "
            "uuid=2c8adebb-d295-4e9d-9808-0bf75764eb8a done=0\n");
  EXPECT_EQ(agents_text(mdt),
            "uuid=2c8adebb-d295-4e9d-9808-0bf75764eb8a archive_id=ANY requests=[current:1 ok:0 errors:0]\n");
}

}  // namespace
}  // namespace lhsm::emulator
