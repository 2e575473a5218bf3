// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The command line of lhsmtool_posix against what Lustre's manual and test suite say of it.
#include "posix_options.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

#include "lhsmtool_mpi/base/size.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::cli {
namespace {

using namespace std::chrono_literals;

PosixCommand parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "lhsmtool_posix");
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  raw.push_back(nullptr);
  return parse_posix_options(static_cast<int>(arguments.size()), raw.data());
}

std::string complaint(const std::vector<std::string>& arguments) {
  try {
    std::ignore = parse(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

TEST(PosixOptions, defaults) {
  const PosixCommand command = parse({"/mnt"});
  EXPECT_EQ(command.mode, PosixMode::serve);
  EXPECT_EQ(command.serve.mount_point, "/mnt");
  EXPECT_EQ(command.serve.archive.format, archive::TreeFormat::v1);
  EXPECT_EQ(command.serve.copy.buffer_bytes, k_MiB);
  EXPECT_EQ(command.serve.copy.update_interval, 30s);
  EXPECT_EQ(command.serve.log.level, log::Level::info);
  EXPECT_EQ(command.serve.item_level, log::Level::info);
  EXPECT_EQ(command.serve.bandwidth_bytes_per_second, 0U);
  EXPECT_TRUE(command.serve.copy.keep_attributes && command.serve.copy.keep_xattrs && command.serve.copy.keep_shadow);
  EXPECT_FALSE(command.daemonize || command.serve.dry_run || command.serve.abort_on_error);
  EXPECT_EQ(command.serve.drain_timeout, 10s);
  EXPECT_TRUE(command.serve.last_signal_is_second);
}

TEST(PosixOptions, as_the_test_framework_of_lustre_gives_them) {
  const PosixCommand command =
      parse({"--archive-format=v2", "-v", "--hsm-root=/arc", "--daemon", "--pid-file=/run/p", "--bandwidth", "1", "--archive",
             "3", "--update-interval", "5", "--event-fifo", "/run/f", "/mnt"});
  EXPECT_EQ(command.serve.archive.format, archive::TreeFormat::v2);
  EXPECT_EQ(command.serve.archive.root, "/arc");
  EXPECT_TRUE(command.daemonize);
  EXPECT_EQ(command.serve.pid_file, "/run/p");
  EXPECT_EQ(command.serve.bandwidth_bytes_per_second, k_MiB);
  EXPECT_EQ(command.serve.archive_ids, std::vector<std::uint32_t>{3});
  EXPECT_EQ(command.serve.copy.update_interval, 5s);
  EXPECT_EQ(command.serve.event_fifo, "/run/f");
  EXPECT_EQ(command.serve.log.level, log::Level::debug);
}

TEST(PosixOptions, both_spellings_and_letters) {
  for (const std::string root : {"--hsm-root", "--hsm_root", "-p"}) EXPECT_EQ(parse({root, "/a", "/m"}).serve.archive.root, "/a");
  for (const std::string chunk : {"--chunk-size", "--chunk_size", "-c"})
    EXPECT_EQ(parse({chunk, "4", "/m"}).serve.copy.buffer_bytes, 4 * k_MiB);
  for (const std::string interval : {"--update-interval", "--update_interval", "-u"})
    EXPECT_EQ(parse({interval, "0", "/m"}).serve.copy.update_interval, 0s);
  for (const std::string fifo : {"--event-fifo", "--event_fifo", "-f"}) EXPECT_EQ(parse({fifo, "/f", "/m"}).serve.event_fifo, "/f");
  for (const std::string sequence : {"--max-sequence", "--max_sequence", "-M"})
    EXPECT_EQ(parse({sequence, "/m"}).mode, PosixMode::max_sequence);
  for (const std::string option : {"--no-attr", "--no_attr"}) EXPECT_FALSE(parse({option, "/m"}).serve.copy.keep_attributes);
  for (const std::string option : {"--no-xattr", "--no_xattr"}) EXPECT_FALSE(parse({option, "/m"}).serve.copy.keep_xattrs);
  for (const std::string option : {"--no-shadow", "--no_shadow"}) EXPECT_FALSE(parse({option, "/m"}).serve.copy.keep_shadow);
  for (const std::string option : {"--abort-on-error", "--abort_on_error"})
    EXPECT_TRUE(parse({option, "/m"}).serve.abort_on_error);
  EXPECT_TRUE(parse({"--dry-run", "/m"}).serve.dry_run);
  EXPECT_EQ(parse({"-C", "/c", "/m"}).config_path, "/c");
  EXPECT_EQ(parse({"/m", "-p", "/a"}).serve.mount_point, "/m") << "options may follow";
  EXPECT_EQ(parse({"--hsm-r", "/a", "/m"}).serve.archive.root, "/a") << "abbreviations";
  EXPECT_TRUE(parse({"--dr", "--da", "/m"}).serve.dry_run) << "ours take none of its abbreviations away";
}

TEST(PosixOptions, archive_ids) {
  using Ids = std::vector<std::uint32_t>;
  EXPECT_EQ(parse({"-A", "1", "-A", "2", "-A1", "/m"}).serve.archive_ids, (Ids{1, 2}));
  EXPECT_EQ(parse({"-A", "1", "-A", "0", "-A", "2", "/m"}).serve.archive_ids, Ids{}) << "0 is any";
  for (const std::string bad : {"x", "1x", "-1", "99999999999"})
    EXPECT_NE(complaint({"-A", bad, "/m"}).find("archive-id"), std::string::npos) << bad;
}

TEST(PosixOptions, verbosity) {
  EXPECT_EQ(parse({"-q", "/m"}).serve.log.level, log::Level::warning);
  EXPECT_EQ(parse({"-q", "-q", "-q", "/m"}).serve.log.level, log::Level::error);
  EXPECT_EQ(parse({"-qqqqq", "/m"}).serve.log.level, log::Level::off);
  EXPECT_EQ(parse({"-q", "-v", "/m"}).serve.log.level, log::Level::info);
}

TEST(PosixOptions, modes_and_their_arguments) {
  const PosixCommand import = parse({"--import", "a/b", "/mnt/c", "/mnt"});
  EXPECT_EQ(import.mode, PosixMode::import);
  EXPECT_EQ(import.source, "a/b");
  EXPECT_EQ(import.destination, "/mnt/c");
  EXPECT_EQ(import.serve.mount_point, "/mnt");
  EXPECT_NE(complaint({"--import", "/a", "/b", "/m"}).find("relative"), std::string::npos);
  EXPECT_NE(complaint({"--import", "a", "b", "/m"}).find("absolute"), std::string::npos);
  EXPECT_NE(complaint({"--import", "a", "/m"}), "");
  EXPECT_EQ(parse({"--rebind", "0x1:0x2:0x0", "0x1:0x3:0x0", "/m"}).destination, "0x1:0x3:0x0");
  EXPECT_EQ(parse({"--rebind", "list", "/m"}).destination, "");
  EXPECT_NE(complaint({"--rebind", "/m"}), "");
  EXPECT_NE(complaint({"--rebind", "a", "b", "c", "/m"}), "");
  const PosixCommand upgrade = parse({"--archive-upgrade=v2"});
  EXPECT_EQ(upgrade.mode, PosixMode::archive_upgrade);
  EXPECT_EQ(upgrade.serve.archive.format, archive::TreeFormat::v2);
  EXPECT_EQ(parse({"-h"}).mode, PosixMode::help);
}

TEST(PosixOptions, wrong_usage_is_said) {
  EXPECT_NE(complaint({}).find("mount point"), std::string::npos);
  EXPECT_NE(complaint({"/a", "/b"}).find("mount point"), std::string::npos);
  for (const auto& arguments : std::initializer_list<std::vector<std::string>>{
           {"-F", "v3", "/m"}, {"-U", "x"}, {"-u", "-1", "/m"}, {"-c", "0", "/m"}, {"-c", "x", "/m"}, {"-c", "-1", "/m"},
           {"-c", "2G", "/m"}, {"-b", "1q", "/m"}, {"--frobnicate", "/m"}, {"-p"}, {"--slots", "0", "/m"}}) {
    EXPECT_NE(complaint(arguments), "") << arguments.front();
  }
}

TEST(PosixSize, as_liblustreapi_reads_them) {
  const std::initializer_list<std::pair<std::string, std::uint64_t>> good{
      {"1", k_MiB}, {"0", 0}, {"0x10", 16 * k_MiB}, {"2b", 1024}, {"7c", 7}, {"1k", k_KiB}, {"1KB", k_KiB}, {"1kib", k_KiB},
      {"1.5M", k_MiB + k_MiB / 2}, {"0.25", k_MiB / 4}, {"3G", 3 * k_GiB}, {"1t", 1024 * k_GiB}, {"1p", k_GiB * k_MiB}, {"1e", k_GiB * k_GiB}};
  for (const auto& [text, size] : good) {
    const auto read = parse_posix_size(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, size) << text;
  }
  for (const std::string bad : {"", "-1", "x", "1x", "1kx", " 1", "1 ", "99999999999999999999", "16e", "1..5"})
    EXPECT_FALSE(parse_posix_size(bad)) << bad;
}

class PosixConfigTest : public ::testing::Test {
 protected:
  Status read(const std::string& text) {
    test::write_file(m_dir / "config", text);
    return read_posix_config(m_dir / "config", m_options);
  }
  test::TempDir m_dir;
  archive::PosixOptions m_options{"/before", archive::TreeFormat::v1};
};

TEST_F(PosixConfigTest, keys_override_and_are_optional) {
  ASSERT_TRUE(read("archive_format: v2\n"));
  EXPECT_EQ(m_options.format, archive::TreeFormat::v2);
  EXPECT_EQ(m_options.root, "/before");
  ASSERT_TRUE(read("other: [1, {2: 3}]\narchive_path: '/with: blanks'\n"));
  EXPECT_EQ(m_options.root, "/with: blanks");
  EXPECT_EQ(m_options.format, archive::TreeFormat::v2);
}

TEST_F(PosixConfigTest, what_it_cannot_be_is_an_error) {
  for (const std::string text : {"", "- a\n", "just text", "archive_format: v9\n", "archive_path: [a]\n", "archive_path:\n",
                                 "a: b: c: [\n", "\x01\x02\xff"}) {
    const Status status = read(text);
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().sys_errno, EINVAL) << text;
  }
  EXPECT_EQ(read_posix_config(m_dir / "none", m_options).error().sys_errno, ENOENT);
}

}  // namespace
}  // namespace lhsm::cli
