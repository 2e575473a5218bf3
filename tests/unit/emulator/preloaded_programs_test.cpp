// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Ordinary programs under `lhsm_emulator exec`: each blocks on a released file, and goes on with the
// right bytes when the test, as the copytool, has restored it.
#include "unit/emulator/blocked_reader_fixture.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::size_t k_size = 300'000;

class PreloadedProgramsTest : public BlockedReaderTest {
 protected:
  void SetUp() override {
    BlockedReaderTest::SetUp();
    LHSM_NEEDS_PRELOAD();
  }
  [[nodiscard]] std::string expected(const std::string& command) const {
    const auto plain = base + "/plain";
    std::ofstream(plain) << pattern(k_size);
    return shell(with_file(command, plain)).text;
  }
  static std::string with_file(std::string command, const std::string& path) {
    for (auto at = command.find('@'); at != std::string::npos; at = command.find('@', at))
      command.replace(at, 1, quoted(path));
    return command;
  }
  /// Run a command with '@' for a released file; it must wait, and then print what it prints of an
  /// ordinary file of the same content.
  void reads(const std::string& command) {
    SCOPED_TRACE(command);
    const auto path = make_released("f" + std::to_string(m_count++), k_size);
    auto reader = start_reader(with_file(command, path));
    ASSERT_TRUE(are_waiting(1));
    restore(pattern(k_size));
    std::string text;
    for (std::string line; (line = reader->line()) != "<end>";) {
      ASSERT_NE(line, "<nothing>");
      text += line + "\n";
    }
    EXPECT_EQ(reader->wait(), 0);
    EXPECT_EQ(text, expected(command));
  }
  /// The same for a command that changes the file: afterwards it is as the command left a plain one.
  void changes(const std::string& command) {
    SCOPED_TRACE(command);
    const auto path = make_released("f" + std::to_string(m_count++), k_size);
    auto writer = start_reader(with_file(command, path));
    ASSERT_TRUE(are_waiting(1));
    restore(pattern(k_size));
    EXPECT_EQ(writer->line(), "<end>");
    EXPECT_EQ(writer->wait(), 0);
    EXPECT_EQ(expected(command), "");
    EXPECT_TRUE(content(path) == content(base + "/plain"));
    EXPECT_EQ(state(path), k_archived_state | HS_DIRTY);
  }
  int m_count = 0;
};

TEST_F(PreloadedProgramsTest, programs_that_read_by_name) {
  for (const auto* command : {"cat @ | cksum", "dd if=@ bs=1k status=none | cksum", "tail -c 20 @; echo", "cksum < @"})
    reads(command);
}

TEST_F(PreloadedProgramsTest, programs_that_read_by_stdio) {
  for (const auto* command :
       {"md5sum < @", "sort < @ | cksum", "wc -c -l < @", "cut -c 1-9 < @", "awk '{print length($0)}' @"})
    reads(command);
}

TEST_F(PreloadedProgramsTest, shells) { reads("read line < @; echo \"$line\" | cut -c 1-30"); }

TEST_F(PreloadedProgramsTest, copies) {
  for (const auto* command : {"cp @ @.copy && cksum < @.copy", "cp --reflink=always @ @.clone 2>&- || cksum < @"})
    reads(command);
}

TEST_F(PreloadedProgramsTest, programs_that_change_the_file) {
  for (const auto* command : {"echo more >> @", "seq 100 >> @", "truncate -s 7 @", "truncate -s 500000 @",
                              "printf x | dd of=@ bs=1 seek=5 conv=notrunc status=none", "truncate -s 0 @", ": > @",
                              "cp /etc/passwd @", "fallocate -l 400000 @"})
    changes(command);
}

TEST_F(PreloadedProgramsTest, what_wants_no_data_does_not_wait) {
  const auto path = make_released("f", k_size);
  auto program =
      start_reader(with_file("stat -c %s @; touch -a @; ls -l @ > /dev/null; chmod 600 @; mv @ @.x; mv @.x @; "
                             ": < @; head -c 0 @; setfattr -n user.a -v b @ 2>&-; echo done",
                             path));
  EXPECT_EQ(program->line(), std::to_string(k_size));
  EXPECT_EQ(program->line(), "done");
  EXPECT_EQ(program->wait(), 0);
  EXPECT_EQ(restores_recorded(), 0);
  EXPECT_EQ(state(path), k_released_state);
}

TEST_F(PreloadedProgramsTest, failures_are_the_programs) {
  const auto path = make_released("f", k_size);
  for (const auto* command : {"exec cat @", "exec md5sum @", "exec md5sum < @", "exec wc -l < @",
                              "exec dd if=/dev/zero of=@ count=1 conv=notrunc", ": > @"}) {
    SCOPED_TRACE(command);
    auto program = start_reader(with_file(command, path));
    ASSERT_TRUE(are_waiting(1));
    set("hsm_control=purge");
    const auto text = program->line();
    EXPECT_NE(text.find("No data available"), std::string::npos) << text;
    EXPECT_NE(program->wait(), 0);
    EXPECT_EQ(state(path), k_released_state);
  }
}

TEST_F(PreloadedProgramsTest, exec_is_transparent) {
  const auto run = [this](const std::string& command) {
    return shell("lhsm_emulator exec " + quoted(mount) + " -- " + command);
  };
  EXPECT_EQ(run("sh -c 'exit 7'").code, 7);
  EXPECT_EQ(run("/bin/echo -n --help -- x").text, "--help -- x");
  EXPECT_EQ(run("no-such-program").code, 127);
  EXPECT_EQ(run("/etc/passwd").code, 126);
  EXPECT_EQ(run("lfs path2fid " + quoted(mount)).code, 0) << "the emulator's lfs comes first";
  EXPECT_EQ(shell("LD_PRELOAD=libc.so.6 lhsm_emulator exec " + quoted(mount) + " -- printenv LD_PRELOAD").text,
            "libc.so.6:" + std::filesystem::path(library()).native() + "\n");
  EXPECT_EQ(shell("lhsm_emulator exec " + quoted(base) + " -- true").code, 1) << "no emulated mount";
  EXPECT_EQ(shell("lhsm_emulator exec " + quoted(mount)).code, 2);
}

TEST_F(PreloadedProgramsTest, a_daemon_started_by_exec_does_not_wait_for_itself) {
  ASSERT_EQ(emulator("stop " + quoted(mount)), 0);
  ASSERT_EQ(shell("lhsm_emulator exec " + quoted(mount) + " -- lhsm_emulator start " + quoted(mount) +
                  " --mdt-count 2 --time-scale 100 --active-request-timeout 1000000")
                .code,
            0);
  EXPECT_NE(shell("grep -q liblustreapi /proc/" + std::to_string(daemon_pid()) + "/maps").code, 0);
  reads("cat @ | cksum");
}

TEST_F(PreloadedProgramsTest, the_emulators_own_cat) {
  const auto path = make_released("f", k_size);
  EXPECT_EQ(shell("lhsm_emulator cat --timeout 1 " + quoted(path)).text, "lhsm_emulator: " + path + ": ETIMEDOUT\n");
  EXPECT_EQ(restores_recorded(), 1) << "goes on";
  Program cat({(programs() / "lhsm_emulator").native(), "cat", path});
  ASSERT_TRUE(are_waiting(1));
  restore(pattern(k_size - 1) + "\n");
  EXPECT_TRUE(cat.line() == pattern(k_size - 1));
  EXPECT_EQ(cat.wait(), 0);
}

}  // namespace
}  // namespace lhsm::emulator
