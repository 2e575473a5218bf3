// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/state_files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/report/metrics.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::report {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint k_start = TimePoint{} + 1h;

class Inner final : public run::Observer {
 public:
  void update(const run::RunState&, TimePoint) override { ++updates; }
  void failed(const ActionItem&, const Error&) override { ++failures; }
  void taken_in(const ActionItem&) override { ++arrivals; }
  void ended(const ActionItem&, const run::ActionOutcome&) override { ++ends; }
  int updates = 0;
  int failures = 0;
  int arrivals = 0;
  int ends = 0;
};

class Source final : public run::DetailSource {
 public:
  [[nodiscard]] run::RunDetail detail(TimePoint) const override { return told; }
  run::RunDetail told;
};

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class StateFilesTest : public ::testing::Test {
 protected:
  StateFiles::Options options() { return {status_path(), metrics_path(), "serve", "/mnt/lustre", "0.1"}; }
  std::string status_path() { return m_dir / "status.json"; }
  std::string temporary() { return status_path() + ".tmp-" + std::to_string(::getpid()); }
  std::string metrics_path() { return m_dir / "lhsm.prom"; }
  RunStatus status() { return *status_of_json(content(status_path())); }

  test::TempDir m_dir;
  Inner m_inner;
  ActionItem m_item = [] {
    ActionItem item;
    item.kind = ActionKind::restore;
    return item;
  }();
};

TEST_F(StateFilesTest, replace_file_leaves_the_former_one_whole_when_it_fails) {
  ASSERT_TRUE(replace_file(status_path(), "one"));
  ASSERT_TRUE(replace_file(status_path(), "two"));
  EXPECT_EQ(content(status_path()), "two");
  std::filesystem::create_directory(temporary());
  EXPECT_FALSE(replace_file(status_path(), "three"));
  EXPECT_EQ(content(status_path()), "two");
  EXPECT_FALSE(replace_file(m_dir / "no" / "where", "x"));
}

TEST_F(StateFilesTest, replace_file_follows_no_link_that_lies_there) {
  std::filesystem::create_symlink("victim", temporary());
  ASSERT_TRUE(replace_file(status_path(), "text"));
  EXPECT_FALSE(std::filesystem::exists(m_dir / "victim"));
  EXPECT_EQ(content(status_path()), "text");
}

TEST_F(StateFilesTest, what_an_earlier_run_left_is_replaced_at_once) {
  ASSERT_TRUE(replace_file(status_path(), "of an earlier run"));
  { const StateFiles files(m_inner, options()); }
  EXPECT_EQ(status().state, "starting");
}

TEST_F(StateFilesTest, everything_is_passed_on) {
  StateFiles files(m_inner, {});
  files.update({}, k_start);
  files.failed(m_item, {});
  files.taken_in(m_item);
  files.ended(m_item, {});
  files.close({}, k_start);
  EXPECT_EQ(m_inner.updates, 1);
  EXPECT_EQ(m_inner.failures, 1);
  EXPECT_EQ(m_inner.arrivals, 1);
  EXPECT_EQ(m_inner.ends, 1);
  EXPECT_TRUE(std::filesystem::is_empty(m_dir.path())) << "nothing was asked for";
}

TEST_F(StateFilesTest, files_say_how_the_run_stands) {
  Source source;
  source.told.pending.restore = 7;
  source.told.running.archive = 2;
  source.told.user_restores = 3;
  source.told.oldest_user_restore = 90s;
  source.told.ranks = {{"node1", 4, 2, 5, 1, 1000}, {"node2", 8, 0, 6, 0, 2000}};
  run::RunningFile file;
  file.kind = ActionKind::restore;
  file.fid = {0x200000401, 7, 0};
  file.worker = 1;
  file.size = 100;
  file.done = 25;
  source.told.files = {file};
  run::RunState state;
  state.ranks = 2;
  state.restored = 11;
  state.source = &source;
  {
    StateFiles files(m_inner, options());
    run::ActionOutcome outcome;
    outcome.error = Error{ErrorKind::io, EIO, "pread", "object"};
    files.ended(m_item, outcome);
    files.update(state, k_start);
    state.job = run::JobCounts{.items = 10, .final = 5};
    files.update(state, k_start + 1s);
    state.job.reset();  // who closes does not know the job
    for (auto& rank : source.told.ranks) rank.bytes_copied += 5000;
    files.close(state, k_start + 6s);
  }
  const auto told = status();
  EXPECT_EQ(told.state, "ended");
  EXPECT_EQ(told.kinds.at(1).name, "restore");
  EXPECT_EQ(told.kinds.at(1).pending, 7U);
  EXPECT_EQ(told.kinds.at(1).done, 11U);
  EXPECT_EQ(told.kinds.at(1).failed, 1U);
  EXPECT_EQ(told.kinds.at(0).running, 2U);
  EXPECT_EQ(told.oldest_user_restore, 90);
  ASSERT_EQ(told.ranks.size(), 2U);
  EXPECT_EQ(told.ranks[1].host, "node2");
  EXPECT_NEAR(told.ranks[1].bytes_per_second, 850, 25) << "5000 bytes in 6 s, the last of which count a little more";
  ASSERT_EQ(told.files.size(), 1U);
  EXPECT_EQ(told.files[0].fid, "[0x200000401:0x7:0x0]");
  ASSERT_TRUE(told.job);
  EXPECT_EQ(told.job->final, 5U);
  ASSERT_EQ(told.errors.size(), 1U);
  EXPECT_EQ(told.errors[0].what, "RESTORE: pread (EIO)");
  const std::string metrics = content(metrics_path());
  for (const char* line : {"lhsmtool_mpi_up{command=\"serve\",mount=\"/mnt/lustre\"} 0\n",
                           "actions_total{command=\"serve\",mount=\"/mnt/lustre\",action=\"restore\",result=\"done\"} 11\n",
                           "action=\"restore\",errno=\"EIO\"} 1\n", "oldest_user_restore_seconds{command=\"serve\",mount=\"/mnt/lustre\"} 90\n",
                           "host=\"node2\"} 7000\n", "job_items{command=\"serve\",mount=\"/mnt/lustre\"} 10\n"})
    EXPECT_NE(metrics.find(line), std::string::npos) << line << '\n' << metrics;
  struct stat mode {};
  ASSERT_EQ(::stat(metrics_path().c_str(), &mode), 0);
  EXPECT_TRUE(mode.st_mode & S_IRUSR);
  EXPECT_FALSE(std::filesystem::exists(status_path() + ".tmp"));
}

TEST_F(StateFilesTest, rates_are_those_of_the_ranks_from_when_these_began) {
  Source source;
  source.told.ranks = {{"node1", 4, 2, 0, 0, 0}, {"node2", 8, 0, 0, 0, 0}};
  run::RunState state;
  state.source = &source;
  state.job = run::JobCounts{.items = 10, .bytes = 10'000};
  StateFiles files(m_inner, options());
  const TimePoint begin = std::chrono::steady_clock::now() + 1h;  // to prepare took that long
  files.update(state, begin);
  for (int s = 1; s <= 5; ++s) {
    for (auto& rank : source.told.ranks) rank.bytes_copied += 100;
    state.bytes_copied += 200;
    state.job->final_bytes = state.job->done_bytes = state.bytes_copied;
    files.update(state, begin + std::chrono::seconds(s));
  }
  files.update(state, begin + 6s);
  state.job.reset();
  files.close(state, begin + 6s);
  const auto told = status();
  EXPECT_NEAR(told.bytes_per_second, 166, 15);
  EXPECT_NEAR(told.ranks[0].bytes_per_second + told.ranks[1].bytes_per_second, told.bytes_per_second, 2);
  EXPECT_EQ(told.job->final_bytes, 1000U);
  EXPECT_FALSE(told.job->seconds_left) << "it is over";
}

TEST_F(StateFilesTest, a_job_that_runs_says_how_long_it_will) {
  {
    StateFiles files(m_inner, options());
    run::RunState state;
    state.job = run::JobCounts{.items = 10, .bytes = 10'000};
    files.update(state, k_start);
    state.job = run::JobCounts{.items = 10, .final = 9, .bytes = 10'000, .final_bytes = 1000, .done = 9, .done_bytes = 1000};
    files.update(state, k_start + 10s);
  }
  EXPECT_EQ(status().job->seconds_left, 90);
}

TEST_F(StateFilesTest, a_file_that_cannot_be_written_is_one_warning) {
  log::set_up("host", 0, log::Level::info);
  auto broken = options();
  broken.status_file = m_dir / "no" / "status.json";
  ::testing::internal::CaptureStderr();
  {
    StateFiles files(m_inner, broken);
    for (int s = 0; s < 10; ++s) files.update({}, k_start + std::chrono::seconds(s));
    files.close({}, k_start + 20s);
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_NE(log.find("is not kept up to date"), std::string::npos) << log;
  EXPECT_EQ(m_inner.updates, 10);
  EXPECT_TRUE(std::filesystem::exists(metrics_path())) << "the other one is";
}

TEST_F(StateFilesTest, is_due_once_a_second) {
  StateFiles files(m_inner, options());
  EXPECT_TRUE(files.is_due(k_start));
  files.update({}, k_start);
  EXPECT_FALSE(files.is_due(k_start + 999ms));
  EXPECT_TRUE(files.is_due(k_start + 1s));
}

TEST(MetricsTest, labels_are_escaped) {
  RunStatus status;
  status.command = "serve";
  status.mount_point = "/mnt/a\"b\\c\nd";
  const std::string text = metrics_text(status, {});
  EXPECT_NE(text.find(R"(mount="/mnt/a\"b\\c\nd")"), std::string::npos) << text;
}

TEST(MetricsTest, histograms_end_with_all) {
  Tally tally;
  ActionItem item;
  item.kind = ActionKind::archive;
  run::ActionOutcome outcome;
  outcome.size = 5000;
  outcome.age = 1000h;
  tally.ended(item, outcome);
  const std::string text = metrics_text({}, tally);
  for (const char* line : {"action=\"archive\",le=\"86400\"} 0\n", "action=\"archive\",le=\"+Inf\"} 1\n",
                           "file_size_bytes_bucket{command=\"\",mount=\"\",action=\"archive\",le=\"4096\"} 0\n",
                           "file_size_bytes_bucket{command=\"\",mount=\"\",action=\"archive\",le=\"65536\"} 1\n",
                           "file_size_bytes_sum{command=\"\",mount=\"\",action=\"archive\"} 5000\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << '\n' << text;
}

}  // namespace
}  // namespace lhsm::report
