// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/progress_lines.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::report {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint k_start = TimePoint{} + 1h;

class FailureLogTest : public ::testing::Test {
 protected:
  FailureLogTest() {
    log::set_up("host", 0, log::Level::info);
    ::testing::internal::CaptureStderr();
    m_failures.pass(k_start);
  }
  std::string said() { return ::testing::internal::GetCapturedStderr(); }
  static auto count_of(const std::string& text, const std::string& part) {
    int count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
  }
  FailureLog m_failures;
};

TEST_F(FailureLogTest, a_flood_of_equal_failures_is_folded) {
  for (int i = 0; i < 1000; ++i) m_failures.failed("RESTORE: pread (EIO)", "file" + std::to_string(i) + " failed");
  m_failures.failed("RESTORE: open (ENOENT)", "another failed");
  m_failures.pass(k_start + 9s);
  m_failures.pass(k_start + 10s);
  m_failures.close();
  const std::string log = said();
  EXPECT_EQ(count_of(log, " failed\n"), 21) << log;
  EXPECT_EQ(count_of(log, "RESTORE: pread (EIO): 980 more in the last 10 s\n"), 1) << log;
  EXPECT_EQ(count_of(log, "another failed"), 1) << "it is not lost in the flood of the others";
  EXPECT_EQ(count_of(log, "\n"), 22) << log;
}

TEST_F(FailureLogTest, after_ten_seconds_lines_come_again) {
  for (int i = 0; i < 30; ++i) m_failures.failed("kind", "first");
  m_failures.pass(k_start + 10s);
  m_failures.failed("kind", "second");
  m_failures.close();
  const std::string log = said();
  EXPECT_EQ(count_of(log, "first\n"), 20) << log;
  EXPECT_EQ(count_of(log, "kind: 10 more"), 1) << log;
  EXPECT_EQ(count_of(log, "second\n"), 1) << log;
}

TEST_F(FailureLogTest, many_kinds_together_are_bounded_too) {
  for (int i = 0; i < 10'000; ++i) m_failures.failed("kind " + std::to_string(i), "line");
  m_failures.close();
  const std::string log = said();
  EXPECT_EQ(count_of(log, "line\n"), 100) << log.substr(0, 500);
  EXPECT_EQ(count_of(log, "failures of other kinds: 9900 more"), 1) << log.substr(log.size() - 500);
}

/// The disk with the output of a batch job is full: that is no reason to end a run.
TEST(ProgressLinesTest, where_nothing_can_be_written_lines_are_lost) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> full(std::fopen("/dev/full", "w"), &std::fclose);
  ASSERT_NE(full, nullptr);
  ProgressLines lines(full.get(), Style::lines, 1s);
  for (int i = 0; i < 3; ++i) EXPECT_NO_THROW(lines.print(std::string(100'000, '.')));
  EXPECT_NE(std::ferror(full.get()), 0);
}

TEST(ProgressLinesTest, due_once_an_interval) {
  ProgressLines lines(stdout, Style::lines, 10s);
  int due = 0;
  for (int s = 0; s <= 35; ++s) due += lines.due(k_start + std::chrono::seconds(s)) ? 1 : 0;
  EXPECT_EQ(due, 3);
  ProgressLines never(stdout, Style::live, 0s);
  EXPECT_FALSE(never.due(k_start));
  EXPECT_FALSE(never.due(k_start + 1h));
}

}  // namespace
}  // namespace lhsm::report
