// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/log.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "lhsmtool_mpi/base/fold.hpp"
#include "support/temp_dir.hpp"

namespace lhsm {
namespace {

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { log::set_up("", 0, log::Level::info); }
  log::Setup setup(log::Format format) {
    log::Setup setup;
    setup.host = "node%d";
    setup.rank = 3;
    setup.ranks = 4;
    setup.format = format;
    setup.file = m_dir / "log";
    return setup;
  }
  std::vector<std::string> lines() {
    std::vector<std::string> all;
    std::ifstream file(m_dir / "log.3");
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }

  test::TempDir m_dir;
};

TEST_F(LogTest, a_line_of_text_has_time_host_rank_and_level) {
  ASSERT_TRUE(log::set_up(setup(log::Format::text)));
  log::warning("{} files", 7);
  log::debug("not at this level");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_TRUE(std::regex_match(lines()[0], std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} node%d\[3\] warning 7 files)")))
      << lines()[0];
}

TEST_F(LogTest, a_line_of_json_has_the_same) {
  ASSERT_TRUE(log::set_up(setup(log::Format::json)));
  log::error("{}", "a\"b\\c\n\x01\xc3\xa9\xff");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_TRUE(std::regex_match(
      lines()[0],
      std::regex(R"(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[-+]\d\d:\d\d","level":"error","host":"node%d","rank":3,"message":".*"\})")))
      << lines()[0];
  EXPECT_NE(lines()[0].find("\"message\":\"a\\\"b\\\\c\\n\\u0001\xc3\xa9\\ufffd\""), std::string::npos) << lines()[0];
}

TEST_F(LogTest, an_event_is_one_line_whatever_is_in_it) {
  ASSERT_TRUE(log::set_up(setup(log::Format::text)));
  log::info("{}", "name\nwith\tan end\x1b[2J");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_TRUE(lines()[0].ends_with("name\\nwith\\tan end\\x1b[2J")) << lines()[0];
}

TEST_F(LogTest, lines_that_find_no_space_are_counted) {
  ASSERT_TRUE(log::set_up(setup(log::Format::text)));
  log::info("first");
  // As on a full disk: half of a line still fits.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit full{std::filesystem::file_size(m_dir / "log.3") + 20, before.rlim_max};
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  for (int i = 0; i < 3; ++i) log::info("lost");
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, old_handler);
  log::info("last");
  ASSERT_EQ(lines().size(), 4U);
  EXPECT_EQ(lines()[1].size(), 20U) << "the part that found space";
  EXPECT_TRUE(lines()[2].ends_with(" warning 3 lines of this log could not be written")) << lines()[2];
  EXPECT_TRUE(lines()[3].ends_with(" info last")) << lines()[3];
}

TEST_F(LogTest, a_flood_of_warnings_from_one_place_is_folded) {
  log::close();  // what tests before this one left
  ASSERT_TRUE(log::set_up(setup(log::Format::text)));
  for (int i = 0; i < 1000; ++i) log::warning("no link for {}", i);
  log::warning("another {}", 1);
  ASSERT_EQ(lines().size(), 21U);
  EXPECT_TRUE(lines()[20].ends_with(" another 1")) << lines()[20];
  log::close();
  ASSERT_EQ(lines().size(), 22U);
  EXPECT_TRUE(lines()[21].ends_with(" warning 980 more warnings of this kind were not logged, the last one: no link for 999")) << lines()[21];
}

TEST_F(LogTest, what_was_folded_is_said_when_its_time_is_over) {
  log::close();
  ASSERT_TRUE(log::set_up(setup(log::Format::text)));
  for (int i = 0; i < 21; ++i) log::warning("number {}", i);
  log::pass(std::chrono::steady_clock::now() + Fold::k_window);
  ASSERT_EQ(lines().size(), 21U);
  EXPECT_TRUE(lines()[20].ends_with(" 1 more warnings of this kind were not logged, the last one: number 20")) << lines()[20];
}

TEST_F(LogTest, lines_of_many_threads_do_not_interleave) {
  constexpr int k_threads = 8;
  constexpr int k_lines = 500;
  ASSERT_TRUE(log::set_up(setup(log::Format::text)));
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < k_threads; ++i)
      threads.emplace_back([i] {
        for (int j = 0; j < k_lines; ++j) log::info("{}", std::string(200, static_cast<char>('a' + i)));
      });
  }
  EXPECT_EQ(lines().size(), std::size_t{k_threads} * k_lines);
  for (const std::string& line : lines()) {
    const std::string text = line.substr(line.rfind(' ') + 1);
    EXPECT_EQ(text, std::string(200, text.empty() ? '?' : text.front()));
  }
}

TEST_F(LogTest, a_file_is_appended_to) {
  ASSERT_TRUE(log::set_up(setup(log::Format::text)));
  log::info("one");
  ASSERT_TRUE(log::set_up(setup(log::Format::text)));
  log::info("two");
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(LogTest, a_file_that_cannot_be_opened_is_an_error) {
  auto bad = setup(log::Format::text);
  bad.file = m_dir / "no" / "log";
  const Status opened = log::set_up(bad);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().sys_errno, ENOENT);
  EXPECT_NE(opened.error().describe().find("log.3"), std::string::npos);
}

TEST(LogFileTest, name_has_the_rank_where_there_are_several) {
  EXPECT_EQ(log::file_of("/var/log/tool", "node", 7, 1), "/var/log/tool");
  EXPECT_EQ(log::file_of("/var/log/tool", "node", 7, 8), "/var/log/tool.7");
  EXPECT_EQ(log::file_of("tool-%r.log", "node", 7, 8), "tool-7.log");
  EXPECT_EQ(log::file_of("tool-%r.log", "node", 0, 1), "tool-0.log");
  EXPECT_EQ(log::file_of("%h/%r-100%%-%x-%", "node", 7, 8), "node/7-100%-%x-%");
  EXPECT_EQ(log::file_of("%h.log", "node", 7, 8), "node.log.7");
  EXPECT_EQ(log::file_of("%%r", "node", 7, 8), "%r.7");
}

}  // namespace
}  // namespace lhsm
