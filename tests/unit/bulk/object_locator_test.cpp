// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bulk/object_locator.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "support/temp_dir.hpp"

namespace lhsm::bulk {
namespace {

using namespace std::chrono_literals;

using Locations = std::vector<std::optional<Location>>;

Outcome<Locations> ask(const std::string& command, const std::vector<std::string>& paths,
                       std::chrono::milliseconds timeout = 300s, const std::function<bool()>& is_stopped = {}) {
  return locate({command, timeout, 10'000}, paths, is_stopped);
}

TEST(LocationTest, is_volume_tab_position) {
  EXPECT_EQ(parse_location("T1\t17"), (Location{"T1", 17}));
  EXPECT_EQ(parse_location("a b\t18446744073709551615\r"), (Location{"a b", ~std::uint64_t{0}}));
  for (const char* line : {"", "\t1", "T1", "T1 17", "T1\t", "T1\t-1", "T1\t1.5", "T1\t1\t2", "T1\t18446744073709551616"})
    EXPECT_FALSE(parse_location(line)) << line;
}

TEST(LocateTest, answers_are_in_the_order_of_the_paths) {
  const auto found = ask(R"(awk '{ print ($1 ~ /x/ ? "" : "V" substr($1, 1, 1) "\t" length($1)) }')", {"abc", "x", "de"});
  ASSERT_TRUE(found) << found.error().describe();
  EXPECT_EQ(*found, (Locations{Location{"Va", 3}, std::nullopt, Location{"Vd", 2}}));
}

TEST(LocateTest, long_questions_and_answers_do_not_block_each_other) {
  std::vector<std::string> paths;
  for (int i = 0; i < 20'000; ++i) paths.push_back(std::string(50, 'p') + std::to_string(i));
  const auto found = ask("awk '{ print $1 \"\\t\" NR }'", paths);
  ASSERT_TRUE(found) << found.error().describe();
  ASSERT_EQ(found->size(), paths.size());
  EXPECT_EQ(found->back(), (Location{paths.back(), 20'000}));
}

TEST(LocateTest, nobody_is_asked_about_nothing) {
  const auto found = ask("cat", {});
  ASSERT_TRUE(found) << found.error().describe();
  EXPECT_TRUE(found->empty());
}

TEST(LocateTest, failures_are_errors) {
  const std::vector<std::string> paths(1000, std::string(1000, 'x'));
  EXPECT_FALSE(ask("exit 1", {"a"}));
  EXPECT_FALSE(ask("/no/such/program", {"a"}));
  EXPECT_FALSE(ask("cat; kill -9 $$", {"a"}));
  EXPECT_FALSE(ask("exit 1", paths)) << "it reads nothing";
  EXPECT_FALSE(ask("echo 'T1\t1'", paths)) << "too few answers";
  EXPECT_FALSE(ask("cat; echo more", {"a"})) << "too many";
  EXPECT_FALSE(ask("cat /dev/zero", {"a"})) << "no end";
}

TEST(LocateTest, a_command_that_hangs_is_ended_with_all_that_it_started) {
  test::TempDir dir;
  const std::string pids = (dir / "pids").string();
  const auto found = ask("sleep 1000 & echo $! > " + pids + "; wait", {"a"}, 300ms);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().sys_errno, ETIMEDOUT);
  std::ifstream in(pids);
  if (pid_t pid = 0; in >> pid) {
    for (int i = 0; i < 6000 && ::kill(pid, 0) == 0; ++i) {
      // A zombie until init reaps it, if there is one that does.
      std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
      std::string number, name, state;
      if (!(status >> number >> name >> state) || state == "Z") break;
      ::usleep(10'000);
      ASSERT_LT(i, 5999) << "it is still there";
    }
  }
}

TEST(LocateTest, a_stop_ends_it) {
  int looks = 0;
  const auto found = ask("sleep 1000", {"a"}, 1000s, [&looks] { return ++looks > 1; });
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::cancelled);
}

}  // namespace
}  // namespace lhsm::bulk
