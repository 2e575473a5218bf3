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

TEST(RateEstimatorTest, sample_of_a_young_run_is_its_rate_since_the_beginning) {
  RateEstimator rate;
  rate.sample(k_start, 0, 0);
  rate.sample(k_start + 1s, 0, 0);
  rate.sample(k_start + 2s, 30, 3000);
  EXPECT_NEAR(rate.files_per_second(), 15, 0.5) << "not 30: a second has passed without a file";
  EXPECT_NEAR(rate.bytes_per_second(), 1500, 50);
  EXPECT_EQ(rate.elapsed(), 2s);
}

TEST(SecondsLeftTest, what_takes_longer_counts) {
  // 303 small files and no large one in 4 s, of which 19 MiB are copied; 121 MiB are left.
  run::JobCounts job{.items = 305, .final = 303, .bytes = 140 << 20, .final_bytes = 19 << 20, .done = 303, .done_bytes = 19 << 20};
  EXPECT_NEAR(*seconds_left(job, 4s), 4 * 121.0 / 19, 1e-6);
  job = {.items = 1000, .final = 600, .bytes = 1000, .final_bytes = 999, .done = 100, .done_bytes = 600};
  EXPECT_NEAR(*seconds_left(job, 10s), 40, 1e-6) << "500 of those that are final took this run no time";
}

TEST(SecondsLeftTest, nothing_is_known_before_something_is_done_and_after_the_end) {
  EXPECT_FALSE(seconds_left({.items = 9, .bytes = 9}, 10s));
  EXPECT_FALSE(seconds_left({.items = 9, .final = 9, .bytes = 9, .final_bytes = 9, .done = 9, .done_bytes = 9}, 10s));
  EXPECT_NEAR(*seconds_left({.items = 9, .final = 3, .done = 3}, 10s), 20, 1e-6) << "a job without bytes";
  EXPECT_NEAR(*seconds_left({.items = 1, .bytes = 9, .final_bytes = 3, .done_bytes = 3}, 10s), 20, 1e-6) << "one large file";
}

TEST(ProgressLineTest, line_has_what_people_ask_for) {
  RateEstimator rate;
  rate.sample(k_start, 0, 0);
  rate.sample(k_start + 10s, 100, 10ULL << 20);
  const std::string line = progress_line(some_state(), rate);
  EXPECT_EQ(line, "613/1000 files, 3.0 GiB, 1.0 MiB/s, 10 files/s, 87 running, 300 queued, 3 failed");
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

TEST(ProgressLineTest, line_of_a_job_has_its_bytes_and_the_time_they_take) {
  auto state = some_state();
  state.running = 2;
  state.queued = 0;
  state.job = run::JobCounts{.items = 305, .final = 303, .bytes = 140ULL << 20, .final_bytes = 14ULL << 20, .done = 303, .done_bytes = 14ULL << 20};
  RateEstimator rate;
  rate.sample(k_start, 0, 0);
  rate.sample(k_start + 1000s, 303, 14ULL << 20);
  EXPECT_EQ(progress_line(state, rate),
            "303/305 items (99.3 %), 14 MiB of 140 MiB (10.0 %), 14 KiB/s, 0 files/s, 2 running, 0 queued, 0 failed, 2h30m left");
}

TEST(SummaryTest, summary_has_every_figure) {
  auto state = some_state();
  state.waited = 50s;
  state.most_idle = 1250ms;
  const std::string text = summary(state, 200s, {{"RESTORE: open (ENOENT)", 3}});
  for (const char* line : {"Completed:  2", "Seconds:    200.0\n", "Ranks:      4\n",
                           "Idle:       2.5 % at most, of one rank, of the 50.0 s in which actions waited\n",
                           "Files:      610 (500 archived, 100 restored, 10 removed)\n",
                           "Data:       2.0 GiB (2147483648 bytes)\n", "Rate:       10 MiB/s, 3.0 files/s\n",
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

TEST(SummaryTest, summary_of_a_job_counts_actions_and_no_files) {
  auto state = some_state();
  state.cancelled = 5;
  Page page;
  ProgressPrinter printer(page.file(), Style::lines, 10s);
  state.job = run::JobCounts{.items = 10};
  printer.update(state, k_start);
  state.job.reset();  // who closes does not know the job
  printer.close(state, k_start + 200s);
  const std::string text = page.text();
  EXPECT_NE(text.find("\nActions:    610 (500 archived, 100 restored, 10 removed), 3 failed, 5 cancelled, 0 not done: the copytool's, "
                      "with each attempt and what others asked for\n"),
            std::string::npos) << text;
  for (const char* word : {"Files:", "Failed:", "Cancelled:"}) EXPECT_EQ(text.find(word), std::string::npos) << word;
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

TEST(ProgressPrinterTest, the_first_line_has_a_rate) {
  Page page;
  ProgressPrinter printer(page.file(), Style::lines, 2s);
  auto state = some_state();
  state.bytes_copied = 0;
  printer.update(state, k_start);
  state.bytes_copied = 20 << 20;
  printer.update(state, k_start + 2s);
  EXPECT_NE(page.text().find(", 10 MiB/s, "), std::string::npos) << page.text();
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
