// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Options from the environment and a config file, through the real program.
#include <gtest/gtest.h>

#include <regex>

#include "support/temp_dir.hpp"
#include "unit/cli/tool.hpp"

namespace lhsm::cli {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  test::TempDir m_dir;
  const std::string m_file = path("lhsm.toml");

  [[nodiscard]] std::string path(const std::string& name) const { return (m_dir / name).string(); }

  /// What --print-config says with such a file.
  Ran shown(const std::string& arguments, const std::string& text, const std::string& environment = {}) {
    test::write_file(m_file, text);
    return run_tool(arguments + " --print-config --config " + m_file, environment);
  }
  static void expect_line(const Ran& ran, const std::string& line, const std::string& origin) {
    EXPECT_EQ(ran.code, 0) << ran.output;
    const std::string escaped = std::regex_replace(line, std::regex(R"([\[\].])"), R"(\$&)");
    EXPECT_TRUE(std::regex_search(ran.output, std::regex("(^|\n)" + escaped + " +# [^\n]*" + origin + "\n")))
        << line << " # " << origin << '\n' << ran.output;
  }
  static void expect_usage(const Ran& ran, const std::string& text) {
    EXPECT_EQ(ran.code, 2) << ran.output;
    EXPECT_NE(ran.output.find(text), std::string::npos) << text << '\n' << ran.output;
  }
};

TEST_F(ConfigTest, ValuesComeFromTheFile) {
  const Ran ran = shown("serve", "hsm-root = '/a b'\n[serve]\nslots = 8\narchive = [1, 2]\ndirect = true\nno_attr = false\nchunk-size = \"4M\"\n");
  expect_line(ran, "hsm-root = \"/a b\"", "lhsm.toml:1");
  expect_line(ran, "slots = 8", "lhsm.toml:3");
  expect_line(ran, "archive = [1, 2]", "lhsm.toml:4");
  expect_line(ran, "direct = true", "lhsm.toml:5");
  expect_line(ran, "no-attr = false", "lhsm.toml:6");
  expect_line(ran, "chunk-size = \"4M\"", "lhsm.toml:7");
  expect_line(ran, "# no-xattr = false", "default");
  expect_line(ran, "# drain-timeout = 60", "default");
}

TEST_F(ConfigTest, TheSectionGoesBeforeWhatStandsAboveAndOthersAreNotRead) {
  const std::string text = "slots = 2\nhsm-root = '/a'\n[serve]\nslots = 3\n[restore]\nslots = 5\n";
  expect_line(shown("serve", text), "slots = 3", "lhsm.toml:4");
  expect_line(shown("restore", text), "slots = 5", "lhsm.toml:6");
  expect_line(shown("archive", text), "slots = 2", "lhsm.toml:1");
  const Ran verify = shown("verify", text);
  expect_line(verify, "hsm-root = \"/a\"", "lhsm.toml:2");
  EXPECT_EQ(verify.output.find("slots"), std::string::npos) << verify.output;
}

TEST_F(ConfigTest, TheCommandLineGoesBeforeTheEnvironmentAndThatBeforeTheFile) {
  const std::string text = "[serve]\nslots = 3\n";
  expect_line(shown("serve", text, "LHSMTOOL_MPI_SLOTS=6"), "slots = 6", "LHSMTOOL_MPI_SLOTS");
  expect_line(shown("serve", text, "LHSMTOOL_MPI_SLOTS=6 LHSMTOOL_MPI_SERVE_SLOTS=7"), "slots = 7", "LHSMTOOL_MPI_SERVE_SLOTS");
  expect_line(shown("restore", text, "LHSMTOOL_MPI_SERVE_SLOTS=7"), "# slots = 4", "default");
  expect_line(shown("serve --slots 9", text, "LHSMTOOL_MPI_SERVE_SLOTS=7"), "slots = 9", "command line");
  expect_line(shown("serve", text, "LHSMTOOL_MPI_SLOTS="), "slots = 3", "lhsm.toml:2");
  expect_line(shown("serve", text, "LHSMTOOL_MPI_ARCHIVE=3,4"), "archive = [3, 4]", "LHSMTOOL_MPI_ARCHIVE");
}

TEST_F(ConfigTest, FlagsOfTheCommandLineReplaceTheirRivals) {
  expect_line(shown("serve -q", "verbose = true\n"), "# verbose = false", "default");
  expect_line(shown("serve", "quiet = 2\n"), "quiet = 2", "lhsm.toml:1");
  expect_line(shown("report --csv job.h5", "[report]\njson = true\n"), "# json = false", "default");
  expect_line(shown("serve", "direct = true\n", "LHSMTOOL_MPI_DIRECT=0"), "direct = false", "LHSMTOOL_MPI_DIRECT");
  expect_line(shown("status --json", "[status]\nwatch = 5\n"), "# watch = ", "default");
  expect_line(shown("status", "[status]\nwatch = 5\n"), "watch = 5", "lhsm.toml:2");
}

TEST_F(ConfigTest, WhichFilesAScanTakesIsSaidToTheScan) {
  expect_line(shown("scan -o x", "archive = 1\n"), "# archive = ", "default");
  expect_line(shown("scan -o x", "[scan]\narchive = 1\n"), "archive = [1]", "lhsm.toml:2");
  expect_line(shown("serve", "archive = 1\n"), "archive = [1]", "lhsm.toml:1");
}

TEST_F(ConfigTest, AnUnknownKeyIsAnErrorThatNamesTheNearest) {
  expect_usage(shown("serve", "[serve]\nhsm-rot = '/a'\n"), "lhsm.toml: line 2: serve has no option 'hsm-rot'; the nearest is 'hsm-root'");
  expect_usage(shown("serve", "slotz = 1\n"), "line 1: no command has an option 'slotz'; the nearest is 'slots'");
  expect_usage(shown("serve", "\n[serv]\n"), "line 2: no command 'serv' has options; the nearest name is 'serve'");
  expect_usage(shown("serve", "[posix]\n"), "no command 'posix' has options");
  expect_usage(shown("serve", "[restore]\nitem = true\n"), "restore has no option 'item'");  // not of the command that runs
  expect_usage(shown("serve", "config = 'x'\n"), "no command has an option 'config'");
  expect_usage(shown("serve", "[serve]\nMNT = '/mnt'\n"), "serve has no option 'MNT'");
  expect_usage(shown("serve", "chunk-size = '1M'\nchunk_size = '2M'\n"), "line 2: 'chunk_size' is there under two names");
}

TEST_F(ConfigTest, AWrongValueIsAnErrorThatSaysWhereItStands) {
  expect_usage(shown("serve", "\nslots = 0\n"), "lhsm.toml:2: --slots");
  expect_usage(shown("serve", "slots = 'x'\n"), "lhsm.toml:1: ");
  expect_usage(shown("serve", "chunk-size = '12Q'\n"), "lhsm.toml:1: '12Q' is not a size");
  expect_usage(shown("serve", "direct = 'perhaps'\n"), "lhsm.toml:1: direct: 'perhaps' is neither true nor false");
  expect_usage(shown("serve", "direct = 2\n"), "lhsm.toml:1: direct: '2' is too much");
  expect_usage(shown("serve", "slots = [1, 2]\n"), "lhsm.toml:1: slots: takes one value");
  expect_usage(shown("serve", "", "LHSMTOOL_MPI_SLOTS=0"), "LHSMTOOL_MPI_SLOTS: --slots");
  expect_usage(shown("serve --slots 0", ""), "--slots");
  expect_usage(shown("serve", "slots 3\n"), "lhsm.toml: line 1: '=' is missing behind 'slots'");
}

TEST_F(ConfigTest, OnlyAFileThatIsNamedMustBeThere) {
  expect_usage(run_tool("serve --print-config --config " + path("none")), "none");
  expect_usage(run_tool("serve --print-config", "LHSMTOOL_MPI_CONFIG=" + path("none")), "none");
  expect_usage(run_tool("serve --print-config --config " + m_dir.str()), m_dir.str());
  test::write_file(m_file, "slots = 3\n");
  expect_line(run_tool("serve --print-config", "LHSMTOOL_MPI_CONFIG=" + m_file), "slots = 3", "lhsm.toml:1");
  test::write_file(path("two"), "slots = 4\n");
  expect_line(run_tool("serve --print-config --config " + path("two"), "LHSMTOOL_MPI_CONFIG=" + m_file), "slots = 4", "two:1");
  expect_line(run_tool("--config " + m_file + " --print-config serve"), "slots = 3", "lhsm.toml:1");
}

TEST_F(ConfigTest, TheStandardFileNeedNotBeThere) {
  const Ran ran = run_tool("serve --print-config", "env -u LHSMTOOL_MPI_CONFIG");
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_TRUE(ran.output.starts_with("# lhsmtool_mpi serve; /etc/lhsmtool_mpi.toml ")) << ran.output;
}

TEST_F(ConfigTest, HelpComesWhateverTheFileIsLike) {
  test::write_file(m_file, "nonsense");
  for (const std::string arguments : {"--help", "serve --help", "--version", "--help-all", "completion bash"})
    EXPECT_EQ(run_tool(arguments, "LHSMTOOL_MPI_CONFIG=" + m_file).code, 0) << arguments;
}

TEST_F(ConfigTest, WhatIsRequiredMayComeFromTheFile) {
  test::write_file(m_file, "hsm-root = '" + m_dir.str() + "'\n");
  const Ran ran = run_tool("serve --config " + m_file + " /nowhere/at/all");
  EXPECT_EQ(ran.code, 1) << ran.output;
  EXPECT_NE(ran.output.find("statfs /nowhere/at/all"), std::string::npos) << ran.output;
  expect_usage(run_tool("serve --config " + m_file), "MNT");
}

TEST_F(ConfigTest, WhatIsShownCanBeAFileAgain) {
  const Ran ran = shown("restore", "hsm-root = \"/a\\\"b\"\nlimit-action = 'restore=100,archive=20'\nfair-weight = ['1=2', '3=4']\n"
                                   "size = '+1G'\nname = ['a,b', 'c']\nquiet = 2\n[restore]\narchive-format = 'v2'\norder = 'size'\n");
  ASSERT_EQ(ran.code, 0) << ran.output;
  const Ran again = shown("restore", ran.output);
  const auto without_origins = [](const std::string& text) { return std::regex_replace(text, std::regex("(^|\n)#[^\n]*| +#[^\n]*"), ""); };
  EXPECT_EQ(without_origins(again.output), without_origins(ran.output));
  EXPECT_NE(ran.output.find("archive-format = \"v2\""), std::string::npos) << ran.output;
}

TEST_F(ConfigTest, AnUnknownVariableIsPointedAt) {
  const Ran ran = shown("serve", "", "LHSMTOOL_MPI_SLOT=3");
  EXPECT_EQ(ran.code, 0);
  EXPECT_NE(ran.output.find("LHSMTOOL_MPI_SLOT in the environment is no option; the nearest is LHSMTOOL_MPI_SLOTS"), std::string::npos) << ran.output;
  EXPECT_EQ(shown("serve", "", "LHSMTOOL_MPI=x LHSMTOOL_MPI_REPORT_ITEMS=1").output.find("is no option"), std::string::npos);
}

TEST_F(ConfigTest, ThePosixCommandLineTakesNothingOfIt) {
  test::write_file(m_file, "nonsense");
  expect_usage(run_tool("--config /dev/null posix"), "nothing before it");
  const Ran ran = run_tool("posix --help", "LHSMTOOL_MPI_CONFIG=" + m_file + " LHSMTOOL_MPI_SLOTS=0");
  EXPECT_EQ(ran.code, 0) << ran.output;
}

}  // namespace
}  // namespace lhsm::cli
