// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is shown of a job while it runs, and of runs that were killed, through the real program.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>

#include "lhsmtool_mpi/store/job_files.hpp"
#include "support/temp_dir.hpp"
#include "unit/cli/tool.hpp"

namespace lhsm::cli {
namespace {

constexpr std::int64_t k_second = 1'000'000'000;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class StatusTest : public ::testing::Test {
 protected:
  /// A run that began a hundred seconds ago, which has no end: of so many files of 10 MiB it has restored nine, and then come to one of
  /// `last_mib`.
  void make(std::uint32_t files, std::uint32_t last_mib = 10) {
    auto writer = store::ManifestWriter::create(m_path, {"test", "scratch", "/mnt", "", 0}, store::ManifestIdentity::make(),
                                                store::ManifestWriter::Replace::no);
    for (std::uint32_t n = 0; n < files; ++n) {
      store::Item item;
      item.fid = {0x200000401, n + 1, 0};
      item.action = store::ItemAction::restore;
      item.size = (n == 9 ? last_mib : 10) * 1048576U;
      if (n < 9) {
        item.outcome.result = store::ItemResult::done;
        item.outcome.bytes_copied = item.size;
        item.outcome.end_ns = m_begin_ns + 5 * k_second;
      }
      EXPECT_TRUE(writer->append(item));
    }
    EXPECT_TRUE(writer->finish());
    auto lock = store::JobLock::acquire(m_path);
    EXPECT_TRUE(lock);
    m_lock.emplace(std::move(*lock));
    auto job = store::open_job(*m_lock, [] {});
    EXPECT_TRUE(job);
    store::RunRecord run;
    run.command_line = "lhsmtool_mpi restore job.h5 /mnt";
    run.hosts = "node1";
    run.ranks = 2;
    run.begin_ns = m_begin_ns;
    EXPECT_TRUE(job->journal->append(store::RunBegunRecord{run}));
    EXPECT_TRUE(job->journal->close());
  }
  [[nodiscard]] Ran status(const std::string& options) const { return run_tool("status " + options + " " + m_path); }

  /// Return what is said first of a job on which somebody works, until he does not.
  std::string first_line_of_watch() {
    std::FILE* const pipe = ::popen(("timeout 20 " LHSM_TOOL " status --watch 1 " + m_path).c_str(), "r");
    if (pipe == nullptr) return {};
    std::array<char, 1000> first{};
    EXPECT_NE(std::fgets(first.data(), first.size(), pipe), nullptr);
    m_lock.reset();
    std::array<char, 4096> rest{};
    while (std::fread(rest.data(), 1, rest.size(), pipe) > 0) {
    }
    EXPECT_EQ(::pclose(pipe), 0);
    return first.data();
  }

  const std::int64_t m_begin_ns = now_ns() - 100 * k_second;
  test::TempDir m_dir;
  const std::string m_path = m_dir / "job.h5";
  std::optional<store::JobLock> m_lock;
};

TEST_F(StatusTest, who_watches_a_job_is_told_its_rates_and_how_long_it_will_take) {
  make(19);
  const std::regex line(R"( 9/19 items \(47\.4 %\), 90 MiB of 190 MiB \(47\.4 %\), 0 failed, [789]\d\d KiB/s, 0\.1 files/s done, [12]m\d\ds left\n)");
  const std::string said = first_line_of_watch();
  EXPECT_TRUE(std::regex_search(said, line)) << "90 MiB took 100 s, or a little more by now: " << said;
}

TEST_F(StatusTest, who_watches_is_told_no_time_where_most_may_be_a_file_that_runs) {
  make(10, 1000);
  const std::string said = first_line_of_watch();
  EXPECT_NE(said.find(" files/s done\n"), std::string::npos) << said;
}

TEST_F(StatusTest, a_run_that_goes_on_is_not_one_that_was_killed) {
  make(10);
  auto json = nlohmann::json::parse(status("--json").output);
  EXPECT_EQ(json.at("running"), true);
  EXPECT_TRUE(json.at("runs").at(0).at("end").is_null());
  EXPECT_TRUE(json.at("runs").at(0).at("exit_code").is_null()) << "it has none yet";
  std::string text = status("").output;
  EXPECT_NE(text.find("restore 10 items, 100 MiB, running\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" to now, 2 ranks on node1, goes on: "), std::string::npos) << text;

  m_lock.reset();
  json = nlohmann::json::parse(status("--json").output);
  EXPECT_EQ(json.at("running"), false);
  EXPECT_TRUE(json.at("runs").at(0).at("exit_code").is_null()) << "nobody knows it";
  text = status("").output;
  EXPECT_NE(text.find("restore 10 items, 100 MiB\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" to ?, 2 ranks on node1, no end was recorded: killed, or cut off: "), std::string::npos) << text;
}

}  // namespace
}  // namespace lhsm::cli
