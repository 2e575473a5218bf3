// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Copytools as processes of their own: what their births, deaths and manners do to the coordinator.
#include "unit/emulator/emulator_fixture.hpp"
#include "unit/emulator/program.hpp"

namespace lhsm::emulator {
namespace {

class ProcessesTest : public EmulatorTest {
 protected:
  [[nodiscard]] std::vector<std::string> probe(const std::string& mode, int count = 1) const {
    return {(programs() / "emulator_copytool_probe").native(), library().native(), mount, mode, std::to_string(count)};
  }
  [[nodiscard]] std::string agents() const { return shell("lctl get_param -n mdt.*-MDT0000.hsm.agents").text; }
  [[nodiscard]] static long count(const std::string& text, const std::string& word) {
    long found = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
    return found;
  }
};

TEST_F(ProcessesTest, library_loaded_locally) {
  const auto path = make("f", 10);
  Program copytool(probe("serve"));
  ASSERT_EQ(copytool.line(), "registered");
  request(path, HUA_ARCHIVE);
  EXPECT_EQ(copytool.line(), "handled 0");
  EXPECT_EQ(copytool.wait(), 0);
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED);
}

TEST_F(ProcessesTest, two_copytools_of_one_node_are_one_agent) {
  const auto path = make("f", 10);
  Program first(probe("serve"), "n1");
  ASSERT_EQ(first.line(), "registered");
  Program second(probe("serve"), "n1");
  ASSERT_EQ(second.line(), "registered");
  Program other(probe("leave"), "n2");
  ASSERT_EQ(other.line(), "registered");
  EXPECT_EQ(count(agents(), "uuid="), 2) << agents();
  request(path, HUA_ARCHIVE);
  // Every pipe of a client gets every list; who comes second finds the request ended.
  const auto one = first.line();
  const auto two = second.line();
  EXPECT_TRUE((one == "handled 0") != (two == "handled 0")) << one << ", " << two;
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(count(agents(), "uuid="), 1) << agents();
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED);
}

TEST_F(ProcessesTest, unregistering_takes_the_whole_node_away) {
  Program first(probe("leave"), "n1");
  ASSERT_EQ(first.line(), "registered");
  Program second(probe("serve"), "n1");
  ASSERT_EQ(second.line(), "registered");
  first.say();
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(count(agents(), "uuid="), 0) << agents();
  const auto path = make("f", 10);
  request(path, HUA_ARCHIVE);
  EXPECT_EQ(second.line(300), "<nothing>");
  EXPECT_EQ(state(path), 0U);
}

TEST_F(ProcessesTest, killed_copytool_stays_listed_until_the_next_send) {
  Program dead(probe("hold"));
  ASSERT_EQ(dead.line(), "registered");
  const auto begun = make("begun", 10);
  request(begun, HUA_ARCHIVE);
  ASSERT_EQ(dead.line(), "holding");
  dead.kill();
  EXPECT_EQ(count(agents(), "uuid="), 1);

  const auto path = make("f", 10);
  request(path, HUA_ARCHIVE);
  EXPECT_TRUE(comes_true("! lctl get_param -n mdt.*-MDT0000.hsm.agents | grep uuid="));
  EXPECT_EQ(state(path), HS_EXISTS) << "flagged before the send that failed";
  EXPECT_TRUE(comes_true("lctl get_param -n mdt.*.hsm.actions | grep status=WAITING"));
  Program next(probe("serve"));
  ASSERT_EQ(next.line(), "registered");
  EXPECT_EQ(next.line(), "handled 0");
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED);

  // What the dead one had begun is not sent again: it times out.
  EXPECT_EQ(shell("lctl get_param -n mdt.*.hsm.actions | grep -c status=STARTED").text, "1\n");
  ASSERT_EQ(shell("lctl set_param mdt.*.hsm.grace_delay=100000 mdt.*.hsm.active_request_timeout=10").code, 0);
  EXPECT_TRUE(comes_true("lctl get_param -n mdt.*.hsm.actions | grep status=CANCELED"));
  EXPECT_EQ(state(begun), HS_EXISTS);
}

TEST_F(ProcessesTest, stop_wakes_a_waiting_copytool) {
  Program copytool(probe("serve"));
  ASSERT_EQ(copytool.line(), "registered");
  ASSERT_EQ(emulator("stop " + mount), 0);
  EXPECT_EQ(copytool.line(), "recv " + std::to_string(-ESHUTDOWN));
  EXPECT_EQ(copytool.wait(), 0);
}

TEST_F(ProcessesTest, killed_daemon_ends_a_waiting_copytool) {
  Program copytool(probe("serve"));
  ASSERT_EQ(copytool.line(), "registered");
  kill_daemon();
  EXPECT_EQ(copytool.line(), "recv " + std::to_string(-EPROTO));
  EXPECT_EQ(copytool.wait(), 0);
}

TEST_F(ProcessesTest, slow_reader_stalls_nobody) {
  constexpr int k_files = 1500;  // more lists than a pipe holds
  ASSERT_EQ(shell("lctl set_param mdt.*.hsm.max_requests=100000").code, 0);
  Program slow(probe("wait", k_files));
  ASSERT_EQ(slow.line(), "registered");
  std::vector<std::string> paths;
  for (int i = 0; i < k_files; ++i) {
    paths.push_back(make("f" + std::to_string(i), 1));
    request(paths.back(), HUA_ARCHIVE);
  }
  EXPECT_TRUE(comes_true("! lctl get_param -n mdt.*.hsm.actions | grep status=WAITING"));
  // The daemon serves others as if nothing were: until `slow` is told to go on, a daemon that waits for it waits for ever.
  for (int i = 0; i < 100; ++i) EXPECT_EQ(state(paths[0]), HS_EXISTS);
  slow.say();
  EXPECT_EQ(slow.line(30'000), "all");
  EXPECT_EQ(slow.wait(), 0);
  for (const auto& path : paths) ASSERT_EQ(state(path), HS_EXISTS | HS_ARCHIVED);
}

}  // namespace
}  // namespace lhsm::emulator
