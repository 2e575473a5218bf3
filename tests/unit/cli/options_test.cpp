// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The command line as a user meets it: exit codes and first lines of the real program.
#include <gtest/gtest.h>

#include <regex>

#include "support/temp_dir.hpp"
#include "unit/cli/tool.hpp"

namespace lhsm::cli {
namespace {

class OptionsTest : public ::testing::Test {
 protected:
  test::TempDir m_dir;

  /// Options that are right come as far as the mount, which is no Lustre: exit code 1, and it is named.
  void expect_accepted(const std::string& options) {
    const Ran ran = run_tool("serve --hsm-root " + m_dir.str() + " " + options + " " + m_dir.str());
    EXPECT_EQ(ran.code, 1) << options << '\n' << ran.output;
    EXPECT_NE(ran.output.find("open as a Lustre file system " + m_dir.str()), std::string::npos) << options << '\n' << ran.output;
  }
  void expect_usage(const std::string& arguments, const std::string& text = {}) {
    const Ran ran = run_tool(arguments);
    EXPECT_EQ(ran.code, 2) << arguments << '\n' << ran.output;
    EXPECT_NE(ran.output, "");
    EXPECT_NE(ran.output.find(text), std::string::npos) << arguments << '\n' << ran.output;
  }
};

TEST_F(OptionsTest, help_and_version_are_a_success) {
  for (const std::string arguments : {"--help", "-h", "--help-all", "serve --help", "--version", "-V"}) {
    const Ran ran = run_tool(arguments);
    EXPECT_EQ(ran.code, 0) << arguments << '\n' << ran.output;
    EXPECT_NE(ran.output, "");
  }
  EXPECT_NE(run_tool("serve --help").output.find("--stripe-threshold"), std::string::npos);
  const std::string version = run_tool("--version").output;
  for (const char* part : {"lhsmtool_mpi 0.", "build:", "protocol:", "Open MPI", "Boost"})
    EXPECT_NE(version.find(part), std::string::npos) << version;
}

TEST_F(OptionsTest, a_wrong_word_is_told_the_right_ones) {
  expect_usage("restore -p /tmp --order tape /x", "--order: 'tape' is none of list|size|size-desc|path|archive-location\n");
  expect_usage("release --order archive-location /x", "--order: 'archive-location' is none of list|size|size-desc|path\n");
  expect_usage("restore -p /tmp --fair gid /x", "--fair: 'gid' is none of uid|projid|none\n");
}

TEST_F(OptionsTest, an_archive_goes_into_one) {
  expect_usage("archive -p /tmp -A 2 -A 3 /x", "an archive goes into one archive: -A N, once\n");
}

TEST_F(OptionsTest, version_tells_build_libraries_and_licence) {
  const std::string version = run_tool("--version").output;
  for (const char* pattern :
       {"\nbuild: +0\\.[0-9.]+\\+[0-9a-f]{16} \\([A-Za-z]+, g\\+\\+ [0-9.]+, link-time optimization (on|off), sanitizers [a-z,]+, assertions (on|off)\\)\n",
        "Open MPI v[0-9]+\\.[0-9]", "HDF5 1\\.[0-9]+\\.[0-9]+", "Boost 1\\.[0-9]+\\.[0-9]+", "xxHash 0\\.[0-9]+\\.[0-9]+", "fmt [0-9]+\\.[0-9]+\\.[0-9]+",
        "CLI11 [0-9]+\\.[0-9]+\\.[0-9]+", "spdlog [0-9]+\\.[0-9]+\\.[0-9]+", "\nlustre: .*liblustreapi", "LGPL-2.1-or-later"})
    EXPECT_TRUE(std::regex_search(version, std::regex(pattern))) << pattern << '\n' << version;
#if defined(__SANITIZE_ADDRESS__)
  EXPECT_NE(version.find("sanitizers address"), std::string::npos) << version;
#elif !defined(__SANITIZE_THREAD__)
  EXPECT_NE(version.find("sanitizers none"), std::string::npos) << version;
#endif
#ifdef NDEBUG
  EXPECT_NE(version.find("assertions off"), std::string::npos) << version;
#endif
}

TEST_F(OptionsTest, version_says_which_liblustreapi_would_be_taken) {
  const std::string library = (m_dir / "liblustreapi.so.1").string();
  EXPECT_EQ(run_tool("--version", "LHSM_EMULATOR_LIBRARY=" + library).output.find(library), std::string::npos);
  test::write_file(library, "");
  EXPECT_NE(run_tool("--version", "LHSM_EMULATOR_LIBRARY=" + library).output.find("emulated: " + library + '\n'), std::string::npos);
}

TEST_F(OptionsTest, version_names_the_linkers_build_id) {
  const std::string version = run_tool("--version").output;
  const auto at = version.find('+');
  ASSERT_NE(at, std::string::npos) << version;
  EXPECT_EQ(version.find_first_not_of("0123456789abcdef", at + 1), at + 17) << version;
}

TEST_F(OptionsTest, wrong_usage_is_exit_code_2) {
  expect_usage("");
  expect_usage("frobnicate");
  expect_usage("serve");
  expect_usage("serve --hsm-root /tmp", "MNT");
  expect_usage("serve /mnt/nowhere", "--hsm-root");
  expect_usage("serve --hsm-root /tmp --no-such-option /mnt/nowhere");
  expect_usage("serve --hsm-root /tmp /mnt/one /mnt/two");
  for (const std::string option :
       {"-A x", "-A -1", "-A 1.5", "-A 99999999999", "--slots 0", "--slots 2000", "--slots -1", "-F v3", "-u -1", "-u x", "-u nan", "-u inf",
        "-c 0", "-c nonsense", "-c -5", "-c 1X", "-c ''", "--extent-size 1e3", "--stripe-threshold 1.5.5G",
        "--progress x", "--progress -1", "--drain-timeout -1", "--renew-interval 0", "--keep-alive 0", "--keep-alive x", "-A", "--log-format xml", "--log-file", "--status", "--metrics"}) {
    expect_usage("serve --hsm-root /tmp " + option + " /mnt/nowhere");
  }
}

TEST_F(OptionsTest, wrong_limits_of_a_job_are_exit_code_2) {
  for (const std::string option : {"--max-files-per-second -1", "--max-files-per-second=-1", "--max-files-per-second x",
                                   "--max-inflight -1", "--abort-after 0", "--reserve -1"}) {
    expect_usage("restore --hsm-root /tmp " + option + " /tmp/nothing.h5 /mnt/nowhere");
  }
}

TEST_F(OptionsTest, a_limit_of_file_sizes_is_an_error_and_no_signal) {
  const Ran ran = run_tool("completion bash", "sh -c 'ulimit -f 0; exec \"$@\" > \"$0\"' " + m_dir.str() + "/answer");
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.output.find("EFBIG"), std::string::npos) << ran.output;
}

TEST_F(OptionsTest, a_complaint_that_cannot_be_written_changes_no_exit_code) {
  EXPECT_EQ(run_tool("serve", "sh -c 'exec \"$@\" 2> /dev/full' -").code, 2);
  EXPECT_EQ(run_tool("serve --hsm-root /tmp " + m_dir.str(), "sh -c 'exec \"$@\" 2> /dev/full' -").code, 1);
}

TEST_F(OptionsTest, bad_sizes_are_shown_in_the_complaint) {
  expect_usage("serve --hsm-root /tmp --extent-size 12Q /mnt/nowhere", "'12Q' is not a size");
}

TEST_F(OptionsTest, buffers_that_no_machine_has_are_refused) {
  // -c counts MiB, as lhsmtool_posix does: bytes given by mistake must not end in bad_alloc.
  expect_usage("serve --hsm-root /tmp -c 1P /mnt/nowhere");
  expect_usage("serve --hsm-root /tmp -c 1048576 /mnt/nowhere");
}

TEST_F(OptionsTest, options_are_accepted_in_every_spelling) {
  for (const std::string options :
       {"", "-A 1", "-A 1 -A 2", "-A 0", "--archive 3", "--archive=3", "-A1", "-F v2", "--archive_format v1", "-c 4",
        "--chunk-size 512K", "--chunk_size 1.5M", "-u 0", "-u 0.5", "--update_interval 10", "--slots 8",
        "--stripe-threshold 1G", "--stripe_threshold 100", "--extent_size 64MiB", "--direct", "--no-attr --no_xattr",
        "--no_attr --no-xattr --no_shadow --no-shadow", "--progress 0", "--drain_timeout 5", "--abort-on-error", "--abort_on_error", "-v -v", "-q", "-qq", "--log-format json", "--log_format text", "--status /nowhere/x --metrics /nowhere/y"}) {
    expect_accepted(options);
  }
}

TEST_F(OptionsTest, archive_option_never_swallows_the_mount) {
  expect_accepted("-A 1");
  expect_accepted("-A 1 -A 2");
  const Ran first = run_tool("serve -A 1 " + m_dir.str() + " -p " + m_dir.str());
  EXPECT_EQ(first.code, 1) << first.output;
}

TEST_F(OptionsTest, a_missing_mount_or_archive_is_exit_code_1_and_one_line) {
  const Ran mount = run_tool("serve -q --hsm-root " + m_dir.str() + " /nowhere/at/all");
  EXPECT_EQ(mount.code, 1);
  EXPECT_NE(mount.output.find("statfs /nowhere/at/all"), std::string::npos) << mount.output;
  EXPECT_NE(mount.output.find("ENOENT"), std::string::npos) << mount.output;
  EXPECT_EQ(std::count(mount.output.begin(), mount.output.end(), '\n'), 1) << mount.output;
}

TEST_F(OptionsTest, a_prepared_mount_without_the_library_is_a_clear_line) {
  std::filesystem::create_directories(m_dir / ".lustre");
  test::write_file(m_dir / ".lustre/lhsm_emulator", "");
  const Ran ran = run_tool("serve -q --hsm-root " + m_dir.str() + " " + m_dir.str(), "LHSM_EMULATOR_LIBRARY=/nowhere/lib.so");
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.output.find("/nowhere/lib.so"), std::string::npos) << ran.output;
}

}  // namespace
}  // namespace lhsm::cli
