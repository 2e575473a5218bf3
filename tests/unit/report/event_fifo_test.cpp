// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/event_fifo.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <nlohmann/json.hpp>

#include "support/temp_dir.hpp"

namespace lhsm::report {
namespace {

using nlohmann::json;

comm::Event sample(comm::EventKind kind) {
  comm::Event event;
  event.kind = kind;
  event.action = ActionKind::restore;
  event.source = {0x200000401, 2, 0};
  event.data = {0x200000402, 3, 0};
  event.path = "a \"file\"\\with\nlines\x01";
  event.total = 1ULL << 60;
  event.current = 5;
  return event;
}

TEST(EventLine, holds_what_monitors_look_for) {
  const json running = json::parse(event_line(sample(comm::EventKind::running), 0));
  EXPECT_EQ(running["event_type"], "RESTORE_RUNNING");
  EXPECT_EQ(running["source_fid"], "0x200000401:0x2:0x0");
  EXPECT_EQ(running["data_fid"], "0x200000402:0x3:0x0");
  EXPECT_EQ(running["total_bytes"], 1ULL << 60);
  EXPECT_EQ(running["current_bytes"], 5);
  EXPECT_EQ(running["lustre_path"], "a \"file\"\\with\nlines\x01");
  EXPECT_EQ(std::string(running["event_time"]).size(), std::string("2014-02-26 14:58:01 -0500").size());
  EXPECT_FALSE(running.contains("errno"));

  const json start = json::parse(event_line(sample(comm::EventKind::start), 0));
  EXPECT_FALSE(start.contains("current_bytes"));
  EXPECT_TRUE(start.contains("lustre_path"));
  const json finish = json::parse(event_line(sample(comm::EventKind::finish), 0));
  EXPECT_FALSE(finish.contains("total_bytes") || finish.contains("lustre_path"));
  EXPECT_EQ(json::parse(event_line(sample(comm::EventKind::cancel), 0))["event_type"], "RESTORE_CANCEL");

  comm::Event failed = sample(comm::EventKind::error);
  failed.sys_errno = ENOSPC;
  const json error = json::parse(event_line(failed, 0));
  EXPECT_EQ(error["event_type"], "RESTORE_ERROR");
  EXPECT_EQ(error["errno"], ENOSPC);
  EXPECT_EQ(error["error"], "No space left on device");
}

TEST(EventLine, is_one_line_of_utf8_that_a_pipe_takes_whole) {
  comm::Event event = sample(comm::EventKind::running);
  event.path = std::string("\xff\xfe bytes");
  EXPECT_NO_THROW(std::ignore = json::parse(event_line(event, 0)));
  event.path = std::string(PATH_MAX, '"');
  const std::string line = event_line(event, 0);
  EXPECT_LT(line.size(), static_cast<std::size_t>(PIPE_BUF));
  EXPECT_EQ(json::parse(line)["lustre_path"], "");
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(RegistrationLine, holds_the_number_of_archives) {
  const json line = json::parse(registration_line(true, 2, "/mnt", "uuid", 0));
  EXPECT_EQ(line["event_type"], "REGISTER");
  EXPECT_EQ(line["archive"], 2);
  EXPECT_EQ(line["mount_point"], "/mnt");
  EXPECT_EQ(line["uuid"], "uuid");
  EXPECT_EQ(json::parse(registration_line(false, 0, "/mnt", "", 0))["event_type"], "UNREGISTER");
}

class EventFifoTest : public ::testing::Test {
 protected:
  std::string m_path = m_dir_holder / "fifo";
  test::TempDir& dir() { return m_dir_holder; }

 private:
  static inline test::TempDir m_dir_holder;
};

TEST_F(EventFifoTest, is_made_and_removed) {
  {
    const auto fifo = EventFifo::open(m_path);
    ASSERT_TRUE(fifo) << fifo.error().describe();
    struct stat status {};
    ASSERT_EQ(::stat(m_path.c_str(), &status), 0);
    EXPECT_TRUE(S_ISFIFO(status.st_mode));
  }
  EXPECT_FALSE(std::filesystem::exists(m_path));
}

TEST_F(EventFifoTest, one_that_was_there_stays_and_must_be_right) {
  ASSERT_EQ(::mkfifo(m_path.c_str(), 0644), 0);
  ASSERT_EQ(::chmod(m_path.c_str(), 0644), 0);
  ASSERT_TRUE(EventFifo::open(m_path));
  EXPECT_TRUE(std::filesystem::exists(m_path));
  ASSERT_EQ(::chmod(m_path.c_str(), 0600), 0);
  EXPECT_EQ(EventFifo::open(m_path).error().sys_errno, EEXIST);
  std::filesystem::remove(m_path);
  test::write_file(m_path, "");
  EXPECT_EQ(EventFifo::open(m_path).error().sys_errno, EEXIST);
  std::filesystem::remove(m_path);
}

TEST_F(EventFifoTest, nobody_who_reads_costs_events_only) {
  const auto fifo = EventFifo::open(m_path);
  ASSERT_TRUE(fifo);
  (*fifo)->write("lost");
  EXPECT_EQ((*fifo)->lost(), 1U);
  const Fd reader(::open(m_path.c_str(), O_RDONLY | O_NONBLOCK));
  (*fifo)->write("seen");
  std::array<char, 100> text{};
  ASSERT_EQ(::read(*reader, text.data(), text.size()), 5);
  EXPECT_EQ(std::string(text.data()), "seen\n");
  // A pipe that is full takes no part of a line.
  for (int i = 0; i < 100; ++i) (*fifo)->write(std::string(4000, 'x'));
  EXPECT_GT((*fifo)->lost(), 50U);
  std::string all;
  for (ssize_t n = 0; (n = ::read(*reader, text.data(), text.size())) > 0;) all.append(text.data(), static_cast<std::size_t>(n));
  EXPECT_EQ(all.size() % 4001, 0U);
}

}  // namespace
}  // namespace lhsm::report
