// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include <array>

#include "lhsmtool_mpi/scan/failed_names.hpp"
#include "whole_scan.hpp"

namespace lhsm::test {
namespace {

using ::testing::SizeIs;
using List = WholeScan;

TEST_F(List, paths_in_every_form_that_is_below_the_mount) {
  make("a/b");
  make("a/#c ");
  std::filesystem::create_symlink(mount(), m_lustre.dir() / "alias");
  const std::string top = mount().string();
  const std::string list = "a/b\n./a//b\n" + top + "/a/b\n" + top + "/./a/./b\na/../a/b\n" +
                           (m_lustre.dir() / "alias").string() + "/a/b\na/#c \n\n";
  EXPECT_TRUE(scan(2, &list));
  EXPECT_EQ(found().count("a/b"), 6U);
  EXPECT_EQ(found().count("a/#c "), 1U);
  EXPECT_EQ(m_totals.failed(), 0U);
}

TEST_F(List, fids_bring_their_paths) {
  const Fid one = m_lustre.make_file("12345");
  const Fid two = m_lustre.make_file("1");
  const std::string list = one.str() + "\n" + two.bracketed() + "\n0x1:0x2:0x3\n";
  EXPECT_TRUE(scan(2, &list));
  EXPECT_EQ(found(), (std::multiset<std::string>{m_lustre.path_of(one).value(), m_lustre.path_of(two).value()}));
  EXPECT_EQ(m_totals.files, 2U);
  EXPECT_EQ(m_totals.bytes, 6U);
  EXPECT_EQ(m_totals.failed_lines, 1U);
}

TEST_F(List, a_bad_line_costs_that_line) {
  make("good");
  const std::string outside = m_lustre.dir().str() + "/outside";
  write_file(outside, "x");
  const std::string list = std::string("good\nmissing\n") + outside + "\n/etc/passwd\nno/where/at all\n" +
                           std::string(5000, 'x') + "\n" + std::string("a\0b\n", 4) + "\xff\xfe\ngood/below\ngood";
  EXPECT_TRUE(scan(3, &list));
  EXPECT_EQ(found(), (std::multiset<std::string>{"good", "good"})) << "a file named twice is there twice";
  EXPECT_EQ(m_totals.failed_lines, 8U);
  EXPECT_THAT(m_observer.problems, SizeIs(8));
  for (const Error& problem : m_observer.problems) EXPECT_NE(problem.sys_errno, 0);
}

TEST_F(List, what_failed_can_be_read_again) {
  make("good");
  m_options.keeps_failed = true;
  const std::string list = "good\nmissing\n[0x1:0x2:0x3]\n/etc/passwd\n" + std::string(5000, 'x') + '\n';
  EXPECT_TRUE(scan(2, &list));
  scan::FailedNames failed('\n');
  const std::string path = (m_lustre.dir() / "failed").string();
  ASSERT_TRUE(failed.open(path));
  failed.add(m_observer.names);
  EXPECT_FALSE(std::filesystem::exists(path)) << "not before it is whole";
  ASSERT_TRUE(failed.finish());
  const std::string again = read_file(path);
  const auto lines = [](const std::string& text) {
    std::multiset<std::string> found;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) found.insert(text.substr(at, text.find('\n', at) - at));
    return found;
  };
  const std::string top = mount().string() + '/';
  EXPECT_EQ(lines(again),
            (std::multiset<std::string>{top + "missing", "[0x1:0x2:0x3]", "/etc/passwd", std::string(5000, 'x')}))
      << "what is too long for a path is left as it is";
  EXPECT_TRUE(scan(1, &again));
  EXPECT_EQ(m_totals.failed_lines, 4U);
}

TEST_F(List, names_with_line_ends_need_another_separator) {
  for (const char separator : {'\n', '\0'}) {
    scan::FailedNames failed(separator);
    const std::string path = (m_lustre.dir() / "failed").string();
    ASSERT_TRUE(failed.open(path));
    failed.add(std::string_view("/a\nb\0/c\0", 8));
    ASSERT_TRUE(failed.finish());
    EXPECT_EQ(read_file(path), separator == '\n' ? std::string("/c\n") : std::string("/a\nb\0/c\0", 8));
  }
}

TEST_F(List, a_list_of_what_failed_that_cannot_be_written_is_an_error) {
  scan::FailedNames failed('\n');
  EXPECT_EQ(failed.open((m_lustre.dir() / "no/such").string()).error().sys_errno, ENOENT);
}

TEST_F(List, what_is_no_regular_file_fails) {
  make("dir/file");
  std::filesystem::create_symlink("dir/file", mount() / "link");
  ASSERT_EQ(::mkfifo((mount() / "fifo").c_str(), 0600), 0);
  const Fid directory = m_lustre.make_file("");
  std::filesystem::remove(m_lustre.path(directory));
  std::filesystem::create_directory(m_lustre.path(directory));
  const std::string list = "dir\n.\nlink\nfifo\n" + directory.bracketed() + "\ndir/file\n";
  m_options.keeps_failed = true;
  EXPECT_TRUE(scan(1, &list));
  EXPECT_THAT(found(), SizeIs(1));
  EXPECT_EQ(m_totals.failed_lines, 5U);
  EXPECT_EQ(m_totals.others, 0U);
  const std::string top = mount().string() + '/';
  for (const std::string& name : {top + "dir", top + "fifo", top + "link", directory.bracketed()})
    EXPECT_NE(m_observer.names.find(name + '\0'), std::string::npos) << name;
}

TEST_F(List, nul_separated_names_may_have_line_ends) {
  make("two\nlines");
  make("plain");
  const std::string list("two\nlines\0plain\0", 16);
  m_separator = '\0';
  EXPECT_TRUE(scan(2, &list));
  EXPECT_EQ(found(), (std::multiset<std::string>{"plain", "two\nlines"}));
}

TEST_F(List, a_long_list_is_shared_and_no_line_is_lost) {
  std::string list;
  constexpr int k_lines = 20000;
  make("file");
  for (int i = 0; i < k_lines; ++i) list += i % 7 == 0 ? "missing\n" : "file\n";
  Rendezvous all(2);
  std::atomic<bool> late = false;
  m_prepare = [&](std::size_t rank, CountingClient& client) {
    client.before_describe = [&, rank] { late = late || !all.wait(rank); };
  };
  EXPECT_TRUE(scan(2, &list));
  EXPECT_FALSE(late);
  EXPECT_EQ(m_totals.files + m_totals.failed_lines, static_cast<std::uint64_t>(k_lines));
  EXPECT_EQ(m_totals.failed_lines, static_cast<std::uint64_t>((k_lines + 6) / 7));
}

TEST_F(List, lines_of_a_slow_pipe_are_looked_at_as_they_come) {
  make("file");
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  Fd writer(ends[1]);
  comm::LoopbackHub hub(1);
  const std::jthread rank([&] { scan::run_worker(hub.worker(0), {"build", "host"}, m_lustre, m_options); });
  scan::Dispatcher dispatcher(hub, 1, "build", m_sink, m_observer);
  dispatcher.greet();
  scan::ListFeeder feeder(Fd{ends[0]}, '\n', mount().string(), [&hub] { hub.wake(); });
  ASSERT_EQ(::write(*writer, "file\nfi", 7), 7);
  std::jthread other([&] {
    // The second line is written only after the first one was found.
    EXPECT_TRUE(m_lustre.wait_for_calls(Call::describe, 1));
    EXPECT_EQ(::write(*writer, "le", 2), 2);
    writer.reset();
  });
  EXPECT_TRUE(dispatcher.run({}, &feeder));
  EXPECT_TRUE(dispatcher.dismiss());
  EXPECT_EQ(found(), (std::multiset<std::string>{"file", "file"}));
}

TEST_F(List, a_feeder_that_is_dropped_waits_for_no_writer) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd writer(ends[1]);
  const scan::ListFeeder feeder(Fd{ends[0]}, '\n', "/", [] {});
  const auto finished = feeder.is_finished();
  EXPECT_TRUE(finished && !*finished);
}

TEST_F(List, a_list_that_cannot_be_read_to_its_end_is_no_list) {
  comm::LoopbackHub hub(1);
  const std::jthread rank([&] { scan::run_worker(hub.worker(0), {"build", "host"}, m_lustre, m_options); });
  scan::Dispatcher dispatcher(hub, 1, "build", m_sink, m_observer);
  dispatcher.greet();
  scan::ListFeeder feeder(Fd(::open(mount().c_str(), O_RDONLY | O_CLOEXEC)), '\n', "/", [&hub] { hub.wake(); });
  EXPECT_THROW(static_cast<void>(dispatcher.run({}, &feeder)), Fatal);
  EXPECT_TRUE(dispatcher.dismiss());
}

}  // namespace
}  // namespace lhsm::test
