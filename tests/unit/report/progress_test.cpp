// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/progress.hpp"

#include <gtest/gtest.h>

#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::report {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint k_start = TimePoint{} + 1h;

/// What a printer writes.
class Page {
 public:
  ~Page() { std::fclose(m_file); }
  Page() = default;
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;
  std::FILE* file() { return m_file; }
  std::string text() {
    std::fflush(m_file);
    std::string all(static_cast<std::size_t>(std::ftell(m_file)), '\0');
    std::rewind(m_file);
    all.resize(std::fread(all.data(), 1, all.size(), m_file));
    return all;
  }

 private:
  std::FILE* m_file = std::tmpfile();
};

run::RunState some_state() {
  run::RunState state;
  state.started = k_start;
  state.ranks = 4;
  state.received = 1000;
  state.archived = 500;
  state.restored = 100;
  state.removed = 10;
  state.failed = 3;
  state.queued = 300;
  state.running = 87;
  state.file_bytes = 2048ULL << 20;
  state.bytes_copied = 3072ULL << 20;
  return state;
}

TEST(RateEstimatorTest, sample_of_a_steady_run_is_its_rate) {
  RateEstimator rate;
  for (unsigned s = 0; s <= 60; ++s) rate.sample(k_start + std::chrono::seconds(s), s * 100, s * 1'000'000ULL);
  EXPECT_NEAR(rate.files_per_second(), 100, 1e-6);
  EXPECT_NEAR(rate.bytes_per_second(), 1e6, 1e-3);
}

TEST(RateEstimatorTest, sample_forgets_the_past) {
  RateEstimator rate;
  unsigned s = 0;
  for (; s <= 60; ++s) rate.sample(k_start + std::chrono::seconds(s), s * 100, 0);
  const std::uint64_t files = (s - 1) * 100;
  for (; s <= 240; ++s) rate.sample(k_start + std::chrono::seconds(s), files, 0);
  EXPECT_LT(rate.files_per_second(), 1);
}

TEST(RateEstimatorTest, sample_once_or_twice_at_one_moment_is_no_rate) {
  RateEstimator rate;
  rate.sample(k_start, 5, 5);
  rate.sample(k_start, 6, 6);
  EXPECT_EQ(rate.files_per_second(), 0);
  EXPECT_EQ(rate.bytes_per_second(), 0);
}

TEST(ProgressLineTest, line_has_what_people_ask_for) {
  RateEstimator rate;
  rate.sample(k_start, 0, 0);
  rate.sample(k_start + 10s, 100, 10ULL << 20);
  const std::string line = progress_line(some_state(), rate);
  EXPECT_EQ(line, "613/1000 files, 3.0 GiB, 1.0 MiB/s, 10 files/s, 87 running, 300 queued, 3 failed, 39 secs left");
}

TEST(ProgressLineTest, line_without_a_rate_gives_no_time) {
  const std::string line = progress_line(some_state(), RateEstimator{});
  EXPECT_EQ(line.find("left"), std::string::npos) << line;
}

TEST(ProgressLineTest, line_says_that_it_stops) {
  auto state = some_state();
  state.draining = true;
  EXPECT_TRUE(progress_line(state, RateEstimator{}).ends_with(", stopping"));
}

TEST(ProgressLineTest, line_of_a_job_is_of_its_items) {
  auto state = some_state();
  state.job = run::JobCounts{.items = 1000, .final = 250, .unsuccessful = 7};
  const std::string line = progress_line(state, RateEstimator{});
  EXPECT_TRUE(line.starts_with("250/1000 items (25.0 %), ")) << line;
  EXPECT_NE(line.find(", 7 failed"), std::string::npos) << line;
  EXPECT_EQ(line.find("space"), std::string::npos) << line;
  state.job->lacks_space = true;
  const std::string full = progress_line(state, RateEstimator{});
  EXPECT_TRUE(full.ends_with(", waits for space")) << full;
}

TEST(SummaryTest, summary_has_every_figure) {
  auto state = some_state();
  state.busy = 100s;
  state.waited = 50s;
  state.most_idle = 1250ms;
  const std::string text = summary(state, 200s, {{"RESTORE: open (ENOENT)", 3}});
  for (const char* line : {"Completed:  2", "Seconds:    200.0", "Ranks:      4\n",
                           "Idle:       2.5 % at most, of one rank, of the 50.0 s in which actions waited\n",
                           "Files:      610 (500 archived, 100 restored, 10 removed)\n",
                           "Data:       2.0 GiB (2147483648 bytes)\n", "Rate:       20 MiB/s, 6.1 files/s\n",
                           "Failed:     3\n", "  3 x RESTORE: open (ENOENT)\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  EXPECT_EQ(text.find("Cancelled"), std::string::npos);
  EXPECT_EQ(text.find("Not done"), std::string::npos);
  state.cancelled = 5;
  state.put_back = 6;
  const std::string more = summary(state, 200s, {});
  EXPECT_NE(more.find("Cancelled:  5\n"), std::string::npos) << more;
  EXPECT_NE(more.find("Not done:   6\n"), std::string::npos) << more;
}

TEST(SummaryTest, summary_of_nothing_divides_by_nothing) {
  const std::string text = summary({}, 0s, {});
  EXPECT_NE(text.find("Rate:       0 B/s, 0.0 files/s"), std::string::npos) << text;
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("inf"), std::string::npos);
}

TEST(SummaryTest, summary_cuts_a_flood_of_kinds) {
  std::map<std::string, std::uint64_t> errors;
  for (int i = 0; i < 100; ++i) errors["kind " + std::to_string(i)] = 1;
  const std::string text = summary({}, 1s, errors);
  EXPECT_NE(text.find("and 88 other kinds of failure"), std::string::npos) << text;
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 30);
}

TEST(ProgressPrinterTest, update_prints_a_line_each_interval) {
  Page page;
  ProgressPrinter printer(page.file(), Style::lines, 10s);
  for (int ms = 0; ms <= 35'000; ms += 100) printer.update(some_state(), k_start + std::chrono::milliseconds(ms));
  const std::string text = page.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\033'), std::string::npos);
}

TEST(ProgressPrinterTest, update_prints_nothing_when_told_so) {
  for (const Style style : {Style::lines, Style::live}) {
    Page page;
    ProgressPrinter printer(page.file(), style, 0s);
    for (int s = 0; s < 100; ++s) printer.update(some_state(), k_start + std::chrono::seconds(s));
    EXPECT_EQ(page.text(), "");
  }
}

TEST(ProgressPrinterTest, update_rewrites_one_line_on_a_terminal) {
  Page page;
  ProgressPrinter printer(page.file(), Style::live, 10s);
  for (int ms = 0; ms <= 2000; ms += 100) printer.update(some_state(), k_start + std::chrono::milliseconds(ms));
  const std::string text = page.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 0);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 4);
}

TEST(ProgressPrinterTest, close_ends_the_line_and_sums_up) {
  Page page;
  ProgressPrinter printer(page.file(), Style::live, 10s);
  printer.update(some_state(), k_start);
  printer.update(some_state(), k_start + 1s);
  printer.close(some_state(), k_start + 2s);
  EXPECT_NE(page.text().find(" failed\nCompleted:"), std::string::npos) << page.text();
}

TEST(ProgressPrinterTest, failed_counts_kinds_and_bounds_the_log) {
  Page page;
  ProgressPrinter printer(page.file(), Style::lines, 0s);
  log::set_up("host", 0, log::Level::info);
  ::testing::internal::CaptureStderr();
  ActionItem item;
  item.kind = ActionKind::restore;
  for (int i = 0; i < 1000; ++i) printer.failed(item, {ErrorKind::io, EIO, "pread", "file" + std::to_string(i)});
  printer.update(some_state(), k_start);
  printer.failed(item, {ErrorKind::no_space, ENOSPC, "pwrite", "file"});
  printer.close(some_state(), k_start + 1s);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 22) << "20, how many more, and one of the next window";
  EXPECT_NE(log.find("RESTORE: pread (EIO): 980 more"), std::string::npos) << log.substr(log.size() - 300);
  EXPECT_NE(log.find("pread file0: Input/output error (EIO)"), std::string::npos) << log.substr(0, 300);
  const std::string text = page.text();
  EXPECT_NE(text.find("  1000 x RESTORE: pread (EIO)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  1 x RESTORE: pwrite (ENOSPC)\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace lhsm::report
