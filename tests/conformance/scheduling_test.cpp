// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The coordinator's clock and choices: max_requests, housekeeping, time-outs, retries, cookies, cancels.
#include <algorithm>
#include <regex>

#include "conformance/lustre_test.hpp"

namespace lhsm::conformance {
namespace {

using Scheduling = LustreTest;
using Cookies = LustreTest;

TEST_F(Scheduling, requests_wait_for_an_agent) {
  const auto fid = fid_of(make("file"));
  ASSERT_EQ(submit(HUA_ARCHIVE, {fid}), 0);
  EXPECT_EQ(actions_of(fid).at(0).status, "WAITING");
  register_copytool();
  EXPECT_EQ(receive_one().head.hai_cookie, actions_of(fid).at(0).cookie);
  EXPECT_TRUE(ends_as(fid, "ARCHIVE", "STARTED"));
}

TEST_F(Scheduling, max_requests_bounds_what_is_started) {
  set_param("max_requests", "2");
  std::vector<lu_fid> fids;
  for (int i = 0; i < 5; ++i) fids.push_back(fid_of(make("f" + std::to_string(i))));
  register_copytool();
  ASSERT_EQ(submit(HUA_ARCHIVE, fids), 0);
  for (std::size_t started = 0; started < fids.size(); ++started) {
    const auto item = receive_one();
    EXPECT_EQ(text_of(item.head.hai_fid), text_of(fids[started])) << "in the order of the log";
    const auto all = actions();
    EXPECT_LE(std::count_if(all.begin(), all.end(), [](const auto& line) { return line.status == "STARTED"; }), 2);
    ASSERT_EQ(begin(item), 0);
    ASSERT_EQ(end(), 0);
  }
}

TEST_F(Scheduling, final_records_are_kept_for_grace_delay) {
  set_param("grace_delay", "2");
  const auto file = make("file");
  archive(file);
  EXPECT_EQ(actions_of(fid_of(file)).at(0).status, "SUCCEED");
  EXPECT_TRUE(comes_true([&] { return actions_of(fid_of(file)).empty(); }));
}

TEST_F(Scheduling, silence_is_cancelled) {
  const auto fid = fid_of(make("file"));
  ASSERT_EQ(submit(HUA_ARCHIVE, {fid}), 0);
  register_copytool();
  const auto item = receive_one();
  ASSERT_EQ(begin(item), 0);
  set_param("active_request_timeout", "2");
  EXPECT_TRUE(ends_as(fid, "ARCHIVE", "CANCELED"));
  EXPECT_EQ(progress(0, 0), -ENOENT) << "no message tells the copytool";
  EXPECT_EQ(end(), -ENOENT);
  EXPECT_EQ(begin(item), -ENOENT);
}

TEST_F(Scheduling, retry_is_heard_only_without_no_retry_action) {
  const auto first = fid_of(make("first"));
  ASSERT_EQ(submit(HUA_ARCHIVE, {first}), 0);
  register_copytool();
  ASSERT_EQ(begin(receive_one()), 0);
  ASSERT_EQ(end(ETIMEDOUT, k_whole, HP_FLAG_RETRY), 0);
  EXPECT_TRUE(ends_as(first, "ARCHIVE", "FAILED"));
  set_param("policy", "-NRA");
  const auto second = fid_of(make("second"));
  ASSERT_EQ(submit(HUA_ARCHIVE, {second}), 0);
  const auto item = receive_one();
  ASSERT_EQ(begin(item), 0);
  ASSERT_EQ(end(ETIMEDOUT, k_whole, HP_FLAG_RETRY), 0);
  const auto again = receive_one();
  EXPECT_EQ(again.head.hai_cookie, item.head.hai_cookie);
  ASSERT_EQ(begin(again), 0);
  ASSERT_EQ(end(), 0);
  EXPECT_TRUE(ends_as(second, "ARCHIVE", "SUCCEED"));
}

TEST_F(Scheduling, tunables_refuse_zero) {
  for (const auto* name : {"max_requests", "loop_period", "grace_delay", "active_request_timeout"})
    EXPECT_NE(shell(std::string("lctl set_param -n mdt.*.hsm.") + name + "=0").code, 0) << name;
}

TEST_F(Scheduling, texts_are_those_that_scripts_read) {
  const auto file = make("file");
  ASSERT_EQ(submit(HUA_ARCHIVE, {fid_of(file)}, {.data = "abcdefgh"}), 0);
  register_copytool();
  ASSERT_EQ(begin(receive_one()), 0);
  ASSERT_EQ(progress(0, 4), 0);
  const std::string fid = R"(\[0x[0-9a-f]+:0x[0-9a-f]+:0x0\])";
  const std::string common = "fid=" + fid + " dfid=" + fid +
                             R"( compound/cookie=0x0/0x[0-9a-f]+ action=ARCHIVE archive#=1 flags=0x0 )"
                             R"(extent=0x0-0xffffffffffffffff gid=0x0 )";
  const auto lines_of = [](const std::string& name) { return shell("lctl get_param -n mdt.*.hsm." + name).text; };
  const std::regex one_action(R"(lrh=\[type=10680000 len=144 idx=\d+/\d+\] )" + common +
                              R"(datalen=8 status=STARTED data=\[6162636465\]\n)");
  EXPECT_TRUE(std::regex_search(lines_of("actions"), one_action)) << lines_of("actions");
  const std::regex one_request(common + R"(data=\[6162636465\] canceled=0 uuid=[0-9a-f-]{36} done=4\n)");
  EXPECT_TRUE(std::regex_search(lines_of("active_requests"), one_request)) << lines_of("active_requests");
  const std::regex one_agent(R"(uuid=[0-9a-f-]{36} archive_id=ANY requests=\[current:1 ok:\d+ errors:\d+\]\n)");
  EXPECT_TRUE(std::regex_search(lines_of("agents"), one_agent)) << lines_of("agents");
  EXPECT_EQ(get_param("policy"), "NonBlockingRestore [NoRetryAction]");
  const auto current = shell("lfs hsm_action " + file).text;
  EXPECT_EQ(current, file + ": ARCHIVE running (4 bytes moved)\n");
}

TEST_F(Cookies, count_up_and_a_cancel_carries_that_of_its_target) {
  const auto first = fid_of(make("first"));
  const auto second = fid_of(make("second"));
  ASSERT_EQ(submit(HUA_ARCHIVE, {first, second}), 0);
  const auto cookie = actions_of(first).at(0).cookie;
  EXPECT_EQ(actions_of(second).at(0).cookie, cookie + 1);
  register_copytool();
  ASSERT_EQ(begin(receive_one()), 0);
  ASSERT_EQ(submit(HUA_CANCEL, {first}), 0);
  std::ignore = receive_one();  // the second file's
  const auto cancel = receive_one();
  EXPECT_EQ(cancel.head.hai_action, HSMA_CANCEL);
  EXPECT_EQ(cancel.head.hai_cookie, cookie);
  EXPECT_EQ(text_of(cancel.head.hai_fid), text_of(first));
  EXPECT_TRUE(ends_as(first, "ARCHIVE", "CANCELED"));
  EXPECT_EQ(progress(0, 1), -ECANCELED);
  EXPECT_EQ(end(ECANCELED), 0);
  EXPECT_TRUE(ends_as(first, "CANCEL", "SUCCEED"));
}

TEST_F(Cookies, begin_of_a_cancelled_request_is_refused) {
  const auto fid = fid_of(make("file"));
  ASSERT_EQ(submit(HUA_ARCHIVE, {fid}), 0);
  register_copytool();
  const auto item = receive_one();
  ASSERT_EQ(submit(HUA_CANCEL, {fid}), 0);
  EXPECT_EQ(receive_one().head.hai_action, HSMA_CANCEL);
  EXPECT_EQ(begin(item), -ECANCELED);
}

TEST_F(Cookies, of_two_mdts_may_be_the_same) {
  if (!is_emulated()) GTEST_SKIP() << "on a real Lustre that depends on when the MDTs started";
  ASSERT_EQ(shell("lfs mkdir -i 0 " + path("zero") + " && lfs mkdir -i 1 " + path("one")).code, 0);
  const auto zero = fid_of(make("zero/file"));
  const auto one = fid_of(make("one/file"));
  ASSERT_EQ(mdt_of(zero), 0);
  ASSERT_EQ(mdt_of(one), 1);
  ASSERT_EQ(submit(HUA_ARCHIVE, {one, zero}), 0) << "a list is split by MDT";
  EXPECT_EQ(actions_of(zero).at(0).cookie, actions_of(one).at(0).cookie);
  register_copytool();
  const auto first = receive_one();
  const auto second = receive_one();
  EXPECT_EQ(first.head.hai_cookie, second.head.hai_cookie);
  EXPECT_NE(text_of(first.head.hai_fid), text_of(second.head.hai_fid));
  for (const auto& item : {second, first}) {
    ASSERT_EQ(begin(item), 0);
    ASSERT_EQ(end(), 0);
  }
  EXPECT_TRUE(ends_as(zero, "ARCHIVE", "SUCCEED"));
  EXPECT_TRUE(ends_as(one, "ARCHIVE", "SUCCEED"));
}

TEST_F(Cookies, purge_sends_cancels_but_progress_is_not_refused) {
  const auto running = fid_of(make("running"));
  ASSERT_EQ(submit(HUA_ARCHIVE, {running}), 0);
  register_copytool();
  const auto item = receive_one();
  ASSERT_EQ(begin(item), 0);
  hsm_control("purge");
  const auto cancel = receive_one();
  EXPECT_EQ(cancel.head.hai_action, HSMA_CANCEL);
  EXPECT_EQ(cancel.head.hai_cookie, item.head.hai_cookie);
  EXPECT_TRUE(ends_as(running, "ARCHIVE", "CANCELED"));
  EXPECT_EQ(progress(0, 5), 0);
  EXPECT_EQ(end(ECANCELED), 0);
}

TEST_F(Cookies, a_cancel_needs_a_slot_and_purge_does_not) {
  set_param("max_requests", "1");
  const auto done = make("done");
  archive(done);
  const auto fid = fid_of(make("file"));
  ASSERT_EQ(submit(HUA_ARCHIVE, {fid}), 0);
  ASSERT_EQ(begin(receive_one()), 0);
  ASSERT_EQ(submit(HUA_CANCEL, {fid}), 0);
  // That an old record is forgotten shows that the log was gone through since.
  set_param("grace_delay", "1");
  ASSERT_TRUE(comes_true([&] { return actions_of(fid_of(done)).empty(); }));
  EXPECT_EQ(actions_of(fid).back().status, "WAITING");
  EXPECT_EQ(progress(0, 1), 0);
  hsm_control("purge");
  EXPECT_TRUE(ends_as(fid, "CANCEL", "CANCELED"));
  EXPECT_EQ(receive_one().head.hai_action, HSMA_CANCEL);
  EXPECT_EQ(end(ECANCELED), 0);
}

}  // namespace
}  // namespace lhsm::conformance
