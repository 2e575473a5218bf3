// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What becomes of requests when an MDT fails over, and when the daemon is killed and started again.
#include "unit/emulator/coordinator_fixture.hpp"
#include "unit/emulator/emulator_fixture.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::uint32_t k_released = HS_EXISTS | HS_ARCHIVED | HS_RELEASED;

TEST_F(CoordinatorTest, mdt_restart_sends_restores_again_and_orphans_archives) {
  make(1, k_released);
  make(2);
  mdt.register_agent("client", {});
  ASSERT_EQ(ask(abi::HSMA_RESTORE, {1}), 0);
  ASSERT_EQ(ask(abi::HSMA_ARCHIVE, {2}), 0);
  pass(2s);
  ASSERT_EQ(link.items(), 2U);
  mdt.settings.policy = 0;
  mdt.restart(now);
  EXPECT_EQ(mdt.settings.policy, Settings().policy) << "a start resets it";
  EXPECT_EQ(mdt.agents().list().size(), 1U) << "the client registers again by itself";
  EXPECT_EQ(end(k_first_cookie + 1, 2), -ENOENT) << "the archive is unknown in memory";
  EXPECT_TRUE(mdt.restore_is_registered(fid(1))) << "its layout is locked again";
  pass(2s);
  ASSERT_EQ(link.items(), 3U);
  EXPECT_EQ(link.sent.back().items[0].hai_cookie, k_first_cookie) << "the same cookie";
  EXPECT_EQ(status_of(k_first_cookie + 1, abi::HSMA_ARCHIVE), "STARTED");
  pass(std::chrono::seconds(mdt.settings.active_request_timeout + 20));
  EXPECT_NE(status_of(k_first_cookie + 1, abi::HSMA_ARCHIVE), "STARTED") << "cancelled when its time is over";
}

TEST_F(CoordinatorTest, of_two_attempts_at_a_restore_the_later_volatile_loses) {
  make(1, k_released);
  mdt.register_agent("client", {});
  ASSERT_EQ(ask(abi::HSMA_RESTORE, {1}), 0);
  pass(2s);
  EXPECT_EQ(keep_alive(k_first_cookie, fid(100)), 0);
  mdt.restart(now);
  pass(2s);
  ASSERT_EQ(link.items(), 2U);
  EXPECT_EQ(keep_alive(k_first_cookie, fid(100)), 0) << "the old attempt reports first";
  EXPECT_EQ(keep_alive(k_first_cookie, fid(200)), -EINVAL);
}

// While the data of an ended restore are being put in place nobody may begin it again.
TEST_F(CoordinatorTest, what_is_being_swapped_in_is_not_sent_again) {
  for (const std::string how : {"restart", "shutdown", "purge", "cancel"}) {
    const auto oid = static_cast<std::uint32_t>(10 + how.size());
    make(oid, k_released);
    mdt.register_agent("client", {});
    ASSERT_EQ(ask(abi::HSMA_RESTORE, {oid}), 0) << how;
    pass(2s);
    ASSERT_FALSE(link.sent.empty());
    const auto cookie = link.sent.back().items.back().hai_cookie;
    ASSERT_EQ(keep_alive(cookie, fid(100 + oid)), 0);
    EXPECT_EQ(end(cookie, 100 + oid), 0);
    ASSERT_TRUE(swap.has_value()) << how;
    const Swap under_way = *swap;
    if (how == "restart") mdt.restart(now);
    if (how == "shutdown" || how == "purge") {
      ASSERT_EQ(mdt.control(how, now), 0);
      ASSERT_EQ(mdt.control("enabled", now), 0);
      mdt.register_agent("client", {});
    }
    if (how == "cancel") {
      ASSERT_EQ(ask(abi::HSMA_CANCEL, {oid}), 0);
    }
    EXPECT_EQ(ask(abi::HSMA_RESTORE, {oid}), 0) << "dropped: it is registered";
    link.sent.clear();
    pass(3s);
    for (const auto& list : link.sent)
      for (const auto& item : list.items) EXPECT_NE(item.hai_action, abi::HSMA_RESTORE) << how;
    EXPECT_EQ(mdt.finish_restore(under_way, 0, now), 0);
    EXPECT_EQ(status_of(cookie, abi::HSMA_RESTORE), "SUCCEED") << how;
    EXPECT_FALSE(mdt.restore_is_registered(fid(oid))) << how;
  }
}

TEST_F(CoordinatorTest, a_waiting_cancel_survives_a_restart) {
  make(1);
  ASSERT_EQ(ask(abi::HSMA_ARCHIVE, {1}), 0);
  ASSERT_EQ(ask(abi::HSMA_CANCEL, {1}), 0);
  mdt.restart(now);
  mdt.register_agent("client", {});
  pass(2s);
  EXPECT_EQ(status_of(k_first_cookie, abi::HSMA_ARCHIVE), "CANCELED");
}

class RestartTest : public EmulatorTest {
 protected:
  Output actions() const { return shell("lctl get_param -n 'mdt.*.hsm.actions'"); }
};

TEST_F(RestartTest, records_survive_a_killed_daemon) {
  const auto restored = make("restored", 10);
  const auto archived = make("archived", 10);
  const auto waiting = make("waiting", 10);
  archive_and_release(restored);
  request(restored, HUA_RESTORE);
  const auto restore = receive();
  request(archived, HUA_ARCHIVE);
  const auto orphan = receive();
  ASSERT_EQ(llapi_hsm_copytool_unregister(&ct), 0);
  request(waiting, HUA_ARCHIVE);
  const auto before = actions().text;
  kill_daemon();
  start();
  EXPECT_EQ(llapi_hsm_copytool_register(&ct, mount.c_str(), 0, nullptr, 0), 0);
  // In one list or in two, in the order of the log: the restore with its cookie, what was waiting.
  hsm_action_list* list = nullptr;
  int size = 0;
  std::vector<hsm_action_item> items;
  while (items.size() < 2) {
    ASSERT_EQ(llapi_hsm_copytool_recv(ct, &list, &size), 0);
    const auto* at = reinterpret_cast<const char*>(list + 1) + 8;
    for (std::uint32_t i = 0; i < list->hal_count; ++i, at += sizeof(hsm_action_item)) {
      items.emplace_back();
      std::memcpy(static_cast<void*>(&items.back()), at, sizeof(hsm_action_item));
    }
  }
  ASSERT_EQ(items.size(), 2U) << before;
  EXPECT_EQ(items[0].hai_cookie, restore.hai_cookie);
  EXPECT_EQ(items[0].hai_action, HSMA_RESTORE);
  EXPECT_EQ(items[1].hai_action, HSMA_ARCHIVE);
  EXPECT_GT(items[1].hai_cookie, orphan.hai_cookie);
  // The archive that was running belongs to nobody now.
  hsm_copyaction_private* action = nullptr;
  EXPECT_EQ(llapi_hsm_action_begin(&action, ct, &orphan, -1, 0, false), -ENOENT);
  EXPECT_NE(actions().text.find("action=ARCHIVE archive#=1 flags=0x0 extent=0x0-0xffffffffffffffff gid=0x0 datalen=0 "
                                "status=STARTED"),
            std::string::npos);
}

TEST_F(RestartTest, a_journal_cut_off_anywhere_is_read_up_to_there) {
  for (int i = 0; i < 5; ++i) request(make("f" + std::to_string(i), 1), HUA_ARCHIVE);
  kill_daemon();
  const auto journal = mount + "/.lustre/hsm_actions.0";
  const auto whole = content(journal);
  ASSERT_GT(whole.size(), 5U * 72);
  std::size_t most = 0;
  for (std::size_t length = 0; length <= whole.size(); length += 97) {
    std::ofstream(journal, std::ios::trunc) << whole.substr(0, length);
    start();
    const auto text = actions().text;
    const auto records = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    EXPECT_GE(records, most) << length;
    most = records;
    kill_daemon();
  }
  EXPECT_GE(most, 4U);
  start();
}

TEST_F(RestartTest, the_command_restarts_one_mdt) {
  const auto path = make("file", 10);
  archive_and_release(path);
  request(path, HUA_RESTORE);
  const auto first = receive();
  EXPECT_EQ(emulator("restart-mdt " + quoted(mount) + " 0"), 0);
  const auto again = receive();
  EXPECT_EQ(again.hai_cookie, first.hai_cookie);
  EXPECT_NE(emulator("restart-mdt " + quoted(mount) + " 7 2>/dev/null"), 0);
}

}  // namespace
}  // namespace lhsm::emulator
