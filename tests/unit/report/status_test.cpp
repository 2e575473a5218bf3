// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/status.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "lhsmtool_mpi/base/process_identity.hpp"

namespace lhsm::report {
namespace {

constexpr std::int64_t k_now_ms = 1'700'000'000'500;

RunStatus some_status() {
  RunStatus status;
  status.state = "running";
  status.command = "restore";
  status.mount_point = "/mnt/\"lustre\"";
  status.version = "0.1.0+abc";
  status.host = "node1";
  status.process = ProcessIdentity::self().text();
  status.started_ms = k_now_ms - 60'000;
  status.updated_ms = k_now_ms;
  status.kinds = {{"archive", 1, 2, 3, 4, 5, 6}, {"restore", 10, 20, 30, 40, 50, 60}, {"remove", 0, 0, 7, 0, 0, 0}};
  status.unverified = 8;
  status.file_bytes = 1 << 20;
  status.bytes_copied = 3ULL << 30;
  status.bytes_per_second = 1048576.4;
  status.files_per_second = 12.345;
  status.bandwidth_limit = 5 << 20;
  status.user_restores = 4;
  status.oldest_user_restore = 83.0;
  status.job = JobStatus{1000, 250, 7, true, 4ULL << 30, 1ULL << 30, {}};
  status.rank_count = 3;
  status.ranks = {{0, "node1", 4, 3, 10, 1, 100, 1e6, 1}, {1, "node2", 4, 4, 20, 2, 200, 2e6, 2}, {2, "node1", 4, 0, 30, 3, 300, 3e6, 3}};
  status.files = {{"restore", "[0x200000401:0x1:0x0]", 1, 4ULL << 30, 1ULL << 30, 12.5, true, 16, 4},
                  {"archive", "[0x200000401:0x2:0x0]", 2, 1000, 999, 2, false, 0, 0}};
  status.errors = {{"RESTORE: pread (EIO)", 40}, {"ARCHIVE: open (ENOENT)", 4}};
  return status;
}

TEST(StatusTest, json_has_the_keys_of_coordinatool) {
  const auto json = nlohmann::json::parse(to_json(some_status()));
  EXPECT_EQ(json.at("running_restore"), 20);
  EXPECT_EQ(json.at("pending_restore"), 10);
  EXPECT_EQ(json.at("done_restore"), 30);
  EXPECT_EQ(json.at("pending_archive"), 1);
  EXPECT_EQ(json.at("done_remove"), 7);
  EXPECT_EQ(json.at("clients_connected"), 2);
  EXPECT_EQ(json.at("clients").at(0).at("client_id"), "node1");
  EXPECT_EQ(json.at("clients").at(0).at("ranks"), 2);
  EXPECT_EQ(json.at("clients").at(0).at("done"), 40);
  EXPECT_EQ(json.at("updated"), "2023-11-14T22:13:20.500Z");
  EXPECT_EQ(json.at("files").at(0).at("extents").at("done"), 16);
  EXPECT_FALSE(json.at("files").at(1).contains("extents"));
}

TEST(StatusTest, json_is_read_as_it_was_written) {
  for (const bool is_full : {true, false}) {
    RunStatus status = some_status();
    if (!is_full) {
      status.job.reset();
      status.oldest_user_restore.reset();
      status.ranks.clear();
      status.files.clear();
      status.errors.clear();
    }
    const std::string text = to_json(status);
    EXPECT_TRUE(looks_like_status(text));
    const auto again = status_of_json(text);
    ASSERT_TRUE(again) << again.error().describe();
    EXPECT_EQ(to_json(*again), text);
    EXPECT_EQ(again->job.has_value(), is_full);
    EXPECT_EQ(again->mount_point, status.mount_point);
  }
}

TEST(StatusTest, all_kinds_of_work_are_read) {
  RunStatus status = some_status();
  status.kinds.clear();
  for (const char* kind : {"archive", "restore", "remove", "release", "import"}) status.kinds.push_back({kind, 1, 2, 3, 4, 5, 6});
  const auto read = status_of_json(to_json(status));
  ASSERT_TRUE(read) << read.error().describe();
  ASSERT_EQ(read->kinds.size(), status.kinds.size());
  for (std::size_t i = 0; i < status.kinds.size(); ++i) EXPECT_EQ(read->kinds[i].name, status.kinds[i].name);
}

TEST(StatusTest, json_of_an_older_version_is_read) {
  auto json = nlohmann::json::parse(to_json(some_status()));
  for (const char* key : {"bytes", "final_bytes", "seconds_left"}) EXPECT_EQ(json.at("job").erase(key), 1U) << key;
  const auto status = status_of_json(json.dump());
  ASSERT_TRUE(status) << status.error().describe();
  EXPECT_EQ(status->job->items, 1000U);
}

TEST(StatusTest, json_of_odd_names_is_json) {
  RunStatus status = some_status();
  status.mount_point = "/mnt/\xff\n";
  EXPECT_EQ(nlohmann::json::parse(to_json(status)).at("mount_point"), "/mnt/\xef\xbf\xbd\n");
}

TEST(StatusTest, what_is_no_status_is_refused) {
  const std::string text = to_json(some_status());
  for (const std::string& bad : {std::string(), std::string("{"), std::string("{}"), std::string("[1]"), std::string("7"),
                                 text.substr(0, text.size() / 2), std::string(R"({"format": "lhsmtool_mpi status"})"),
                                 std::string(R"({"format": "lhsmtool_mpi status", "version": 2})"),
                                 std::string(R"({"format": "lhsmtool_mpi status", "version": 1})")}) {
    const auto status = status_of_json(bad);
    ASSERT_FALSE(status) << bad;
    EXPECT_EQ(status.error().kind, ErrorKind::invalid);
  }
  EXPECT_FALSE(looks_like_status("\x89HDF"));
  EXPECT_FALSE(looks_like_status(""));
}

TEST(StatusTest, a_time_that_no_calendar_has_is_refused) {
  for (const std::int64_t ms : {std::int64_t{-1}, std::int64_t{1} << 60}) {
    RunStatus status = some_status();
    auto json = nlohmann::json::parse(to_json(status));
    json["updated_ms"] = ms;
    EXPECT_FALSE(status_of_json(json.dump())) << ms;
  }
}

TEST(StatusTest, status_is_stale_when_its_process_is_gone_or_silent) {
  RunStatus status = some_status();
  EXPECT_FALSE(staleness(status, k_now_ms));
  EXPECT_FALSE(staleness(status, k_now_ms + 29'000));
  ASSERT_TRUE(staleness(status, k_now_ms + 90'000));
  EXPECT_EQ(*staleness(status, k_now_ms + 90'000), "it was not updated for 1m30s");
  EXPECT_FALSE(is_gone(status));

  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ProcessIdentity gone = ProcessIdentity::self();
  gone.pid = child;
  status.process = gone.text();
  EXPECT_TRUE(is_gone(status));
  ASSERT_TRUE(staleness(status, k_now_ms));
  EXPECT_NE(staleness(status, k_now_ms)->find("is gone"), std::string::npos);

  ProcessIdentity reused = ProcessIdentity::self();  // its number belongs to another process by now
  ++reused.started;
  status.process = reused.text();
  EXPECT_TRUE(is_gone(status));

  status.process = "another-kernel/pid 1 1";  // nobody here can tell
  EXPECT_FALSE(is_gone(status));
  EXPECT_FALSE(staleness(status, k_now_ms));
  EXPECT_TRUE(staleness(status, k_now_ms + 31'000));

  status.process = gone.text();
  status.state = "ended";
  EXPECT_FALSE(staleness(status, k_now_ms + 1'000'000));
  EXPECT_FALSE(is_gone(status));
}

TEST(StatusTest, table_has_what_people_ask_for) {
  const std::string table = status_table(some_status(), k_now_ms, 10);
  for (const char* part :
       {"restore /mnt/\"lustre\", running since ", "rank 0 on node1", "1.0 MiB/s, 12.3 files/s, 3.0 GiB copied, limit 5.0 MiB/s",
        "job: 250/1000 items (25.0 %), 7 unsuccessful, 1.0 GiB of 4.0 GiB (25.0 %), waits for space", "restores of users: 4, the oldest waits for 1m23s",
        "[0x200000401:0x1:0x0]", " 25.0 % ", "16 done, 4 running", "40 x RESTORE: pread (EIO)", "node1 (2)", "node2 (1)", "1 node2"})
    EXPECT_NE(table.find(part), std::string::npos) << part << "\n" << table;
  RunStatus soon_over = some_status();
  soon_over.job = JobStatus{1000, 250, 7, false, 4ULL << 30, 1ULL << 30, 7500};
  EXPECT_NE(status_table(*status_of_json(to_json(soon_over)), k_now_ms, 10).find("(25.0 %), 2h05m left\n"), std::string::npos);
  EXPECT_EQ(table.find("STALE"), std::string::npos);
  EXPECT_EQ(table.find("and "), std::string::npos);
  EXPECT_NE(status_table(some_status(), k_now_ms + 60'000, 10).find("STALE: it was not updated for 1m00s"), std::string::npos);
}

TEST(StatusTest, table_tells_begin_and_end_apart) {
  RunStatus status = some_status();
  status.state = "ended";
  const std::string ended = status_table(status, k_now_ms, 10);
  EXPECT_TRUE(std::regex_search(ended, std::regex(R"(, ended \S+:13:20, begun \S+:12:20, rank 0)"))) << ended;
  status.state = "stopping";
  EXPECT_NE(status_table(status, k_now_ms, 10).find(", stopping, begun "), std::string::npos);
}

TEST(StatusTest, table_of_many_is_short) {
  RunStatus status = some_status();
  for (int i = 0; i < 5000; ++i) {
    status.ranks.push_back({i, "host" + std::to_string(i), 4, 0, 0, 0, 0, 0, 0});
    status.files.push_back(status.files.front());
  }
  const std::string table = status_table(status, k_now_ms, 5);
  EXPECT_LT(std::count(table.begin(), table.end(), '\n'), 45) << table;
  EXPECT_NE(table.find("and 4998 more"), std::string::npos) << table;
}

}  // namespace
}  // namespace lhsm::report
