// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/failure_watch.hpp"

#include <gtest/gtest.h>

#include "lhsmtool_mpi/bulk/request_window.hpp"

namespace lhsm::bulk {
namespace {

using namespace std::chrono_literals;

const TimePoint k_now = TimePoint{} + 1h;

Error error_of(int sys_errno) { return {kind_of_errno(sys_errno), sys_errno, "write", "object"}; }

TEST(FailureWatchTest, stops_when_too_many_of_the_last_fail) {
  FailureWatch watch({.abort_after = 50});
  for (int i = 0; i < 50; ++i) watch.succeeded();
  for (int i = 0; i < 50; ++i) watch.failed(error_of(EIO), k_now);
  EXPECT_EQ(watch.verdict(), "") << "50 of 100 are allowed";
  watch.failed(error_of(EIO), k_now);
  EXPECT_NE(watch.verdict().find("51 of the last 100"), std::string::npos) << watch.verdict();
  EXPECT_NE(watch.verdict().find("EIO"), std::string::npos) << watch.verdict();
}

TEST(FailureWatchTest, old_failures_are_forgotten) {
  FailureWatch watch({.abort_after = 50});
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 50; ++i) watch.failed(error_of(EIO), k_now);
    for (int i = 0; i < 50; ++i) watch.succeeded();
  }
  EXPECT_EQ(watch.verdict(), "");
}

TEST(FailureWatchTest, few_attempts_are_no_reason_and_cancels_do_not_count) {
  FailureWatch watch({.abort_after = 1});
  for (int i = 0; i < 99; ++i) watch.failed(error_of(EIO), k_now);
  EXPECT_EQ(watch.verdict(), "");
  for (int i = 0; i < 500; ++i) watch.failed({ErrorKind::cancelled, ECANCELED, "copy", "file"}, k_now);
  EXPECT_EQ(watch.verdict(), "");
}

TEST(FailureWatchTest, never_when_all_may_fail) {
  FailureWatch watch({.abort_after = FailureWatch::k_window});
  for (int i = 0; i < 1000; ++i) watch.failed(error_of(EIO), k_now);
  EXPECT_EQ(watch.verdict(), "");
}

TEST(FailureWatchTest, no_space_pauses_longer_and_longer_then_stops) {
  FailureWatch watch({.space_delay = 1s, .space_pauses = 3});
  TimePoint now = k_now;
  for (const auto pause : {1s, 2s, 4s}) {
    watch.failed(error_of(ENOSPC), now);
    EXPECT_EQ(watch.paused_until(), now + pause);
    watch.failed(error_of(EDQUOT), now + 500ms);
    EXPECT_EQ(watch.paused_until(), now + pause) << "one that was under way already";
    EXPECT_EQ(watch.verdict(), "");
    EXPECT_TRUE(watch.lacks_space());
    now += pause;
  }
  watch.failed(error_of(ENOSPC), now);
  EXPECT_NE(watch.verdict().find("no space"), std::string::npos);
}

TEST(FailureWatchTest, a_success_ends_the_pauses) {
  FailureWatch watch({.space_delay = 1s, .space_pauses = 1});
  for (int i = 0; i < 5; ++i) {
    watch.failed(error_of(ENOSPC), k_now + i * 10s);
    EXPECT_EQ(watch.paused_until(), k_now + i * 10s + 1s);
    watch.succeeded();
    EXPECT_FALSE(watch.lacks_space());
  }
  EXPECT_EQ(watch.verdict(), "");
}

TEST(RequestWindowTest, grows_with_what_is_running) {
  RequestWindow window(1000);
  EXPECT_EQ(window.limit(), 102U);
  window.saw_running(100);
  EXPECT_EQ(window.limit(), 302U);
  window.saw_running(5);
  EXPECT_EQ(window.limit(), 302U);
  window.saw_running(5000);
  EXPECT_EQ(window.limit(), 1000U);
  EXPECT_EQ(RequestWindow(0).limit(), 1U);
}

}  // namespace
}  // namespace lhsm::bulk
