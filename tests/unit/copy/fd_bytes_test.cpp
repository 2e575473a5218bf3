// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/copy/fd_bytes.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/copy/engine.hpp"
#include "support/memory_bytes.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::copy {
namespace {

using test::pattern;

struct FdBytes : public ::testing::Test {
  test::TempDir dir;
  std::string path = dir / "file";

  Fd open(int flags) const {
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    EXPECT_TRUE(fd) << path;
    return fd;
  }
};

std::span<std::byte> bytes_of(std::string& text) { return std::as_writable_bytes(std::span(text)); }
std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST_F(FdBytes, read_at_is_short_only_at_the_end) {
  const std::string content = pattern(10000);
  test::write_file(path, content);
  const Fd fd = open(O_RDONLY);
  FdSource source(*fd, path);
  std::string out(6000, '?');
  EXPECT_EQ(source.read_at(bytes_of(out), 0), 6000U);
  EXPECT_EQ(out, content.substr(0, 6000));
  EXPECT_EQ(source.read_at(bytes_of(out), 6000), 4000U);
  EXPECT_EQ(out.substr(0, 4000), content.substr(6000));
  EXPECT_EQ(source.read_at(bytes_of(out), 10000), 0U);
  EXPECT_EQ(source.read_at(bytes_of(out), 99999), 0U);
  EXPECT_EQ(source.read_at({}, 0), 0U);
}

TEST_F(FdBytes, errors_name_call_and_subject) {
  test::write_file(path, "x");
  const Fd write_only = open(O_WRONLY);
  const Fd read_only = open(O_RDONLY);
  std::string out(10, '?');
  EXPECT_EQ(FdSource(*write_only, "S").read_at(bytes_of(out), 0).error(), (Error{ErrorKind::io, EBADF, "pread", "S"}));
  EXPECT_EQ(FdSink(*read_only, "T").write_at(bytes_of(out), 0).error(), (Error{ErrorKind::io, EBADF, "pwrite", "T"}));
  EXPECT_EQ(FdSource(-1, "S").next_data({0, 1}).error(), (Error{ErrorKind::io, EBADF, "lseek SEEK_DATA", "S"}));
  EXPECT_EQ(FdSink(-1, "T").sync().error(), (Error{ErrorKind::io, EBADF, "fsync", "T"}));
}

TEST_F(FdBytes, next_data_finds_data_and_holes) {
  const Fd fd = open(O_RDWR | O_CREAT);
  constexpr std::uint64_t k_MiB_ = 1024 * 1024;
  const std::string data = pattern(k_MiB_);
  ASSERT_EQ(::pwrite(*fd, data.data(), data.size(), 4 * k_MiB_), static_cast<ssize_t>(data.size()));
  ASSERT_EQ(::ftruncate(*fd, 10 * k_MiB_), 0);
  FdSource source(*fd, path);
  if (source.next_data({0, k_MiB_}).value()) GTEST_SKIP() << "this file system knows no holes";
  EXPECT_EQ(source.next_data({0, 10 * k_MiB_}), (Extent{4 * k_MiB_, k_MiB_}));
  EXPECT_EQ(source.next_data({4 * k_MiB_ + 10, 100}), (Extent{4 * k_MiB_ + 10, 100})) << "cut to the range";
  EXPECT_EQ(source.next_data({0, 4 * k_MiB_}), std::nullopt);
  EXPECT_EQ(source.next_data({5 * k_MiB_, 5 * k_MiB_}), std::nullopt);
  EXPECT_EQ(source.next_data({7, 0}), std::nullopt);
}

TEST_F(FdBytes, next_data_takes_what_is_beyond_the_end_for_data) {
  const Fd fd = open(O_RDWR | O_CREAT);
  ASSERT_EQ(::ftruncate(*fd, 1000), 0);
  FdSource source(*fd, path);
  EXPECT_EQ(source.next_data({0, 1000}), std::nullopt);
  EXPECT_EQ(source.next_data({0, 1001}), (Extent{1000, 1}));
  EXPECT_EQ(source.next_data({5000, 10}), (Extent{5000, 10}));
}

TEST_F(FdBytes, next_data_of_what_cannot_tell_is_the_range) {
  // A character device "seeks" to its begin, whatever it is asked.
  const Fd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(zero);
  EXPECT_EQ(FdSource(*zero, "/dev/zero").next_data({100, 50}), (Extent{100, 50}));
}

TEST_F(FdBytes, write_at_writes_where_it_is_told) {
  const Fd fd = open(O_RDWR | O_CREAT);
  FdSink sink(*fd, path);
  const std::string hello = "hello";
  ASSERT_TRUE(sink.write_at(bytes_of(hello), 3));
  ASSERT_TRUE(sink.write_at({}, 100));
  ASSERT_TRUE(sink.sync());
  EXPECT_EQ(test::read_file(path), std::string(3, '\0') + "hello");
}

TEST_F(FdBytes, start_writeback_is_advice_whatever_the_file) {
  const Fd fd = open(O_RDWR | O_CREAT);
  FdSink(*fd, path).start_writeback({0, 100});
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Fd in(ends[0]);
  const Fd out(ends[1]);
  FdSink sink(*out, "pipe");
  sink.start_writeback({0, 100});
  sink.start_writeback({0, 100});
}

TEST_F(FdBytes, dev_full_is_no_space) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  const auto status = FdSink(*full, "/dev/full").write_at(bytes_of(std::string("x")), 0);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::no_space);
}

TEST_F(FdBytes, short_write_is_gone_on_with) {
  // The limit lets the first write through in part; the rest then fails by itself.
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{5000, 5000};
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
    FdSink sink(*fd, path);
    const auto status = sink.write_at(bytes_of(pattern(8000)), 0);
    ::_exit(!status && status.error().sys_errno == EFBIG ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(test::read_file(path), pattern(8000).substr(0, 5000));
}

struct Aligned {
  explicit Aligned(std::size_t bytes) : memory(static_cast<std::byte*>(std::aligned_alloc(4096, bytes)), &std::free) {}
  std::unique_ptr<std::byte, decltype(&std::free)> memory;
};

TEST_F(FdBytes, direct_goes_with_any_size) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{4095}, std::size_t{4096}, std::size_t{200'000}}) {
    const std::string content = pattern(size);
    const Fd out = open(O_WRONLY | O_CREAT | O_TRUNC);
    const Fd in = open(O_RDONLY);
    const int flags = ::fcntl(*out, F_GETFL);
    {
      test::MemorySource memory(content);
      FdSink sink(*out, path, Direct::yes);
      Engine engine(65536);
      ASSERT_TRUE(engine.copy(memory, sink, {0, size}, {}));
    }
    EXPECT_EQ(::fcntl(*out, F_GETFL), flags) << "the descriptor is as it was";
    FdSource source(*in, path, Direct::yes);
    test::MemorySink back;
    Engine engine(65536);
    ASSERT_TRUE(engine.copy(source, back, {0, size}, {}));
    EXPECT_EQ(back.bytes, content);
    EXPECT_EQ(engine.copy(source, back, {0, size + 5000}, {}).error().kind, ErrorKind::corrupt);
  }
}

TEST_F(FdBytes, direct_is_on_for_what_is_aligned_only) {
  test::write_file(path, pattern(3 * 4096 + 5));
  const Fd fd = open(O_RDONLY);
  {
    FdSource source(*fd, path, Direct::yes);
    const Aligned buffer(8 * 4096);
    const auto is_direct = [&] { return (::fcntl(*fd, F_GETFL) & O_DIRECT) != 0; };
    EXPECT_FALSE(is_direct()) << "nothing is done before it is needed";
    EXPECT_EQ(source.read_at({buffer.memory.get(), 2 * 4096}, 0), 2U * 4096U);
    if (!is_direct()) GTEST_SKIP() << "this file system refuses O_DIRECT";
    EXPECT_EQ(source.read_at({buffer.memory.get() + 1, 100}, 8192), 100U);
    EXPECT_FALSE(is_direct());
    EXPECT_EQ(source.read_at({buffer.memory.get(), 4096 + 5}, 8192), 4096U + 5U);
  }
  EXPECT_EQ(::fcntl(*fd, F_GETFL) & O_DIRECT, 0);
}

TEST_F(FdBytes, direct_where_it_is_refused_goes_through_the_cache) {
  const Fd shm(::open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));  // older tmpfs refuse it
  if (!shm) GTEST_SKIP() << "no tmpfs";
  FdSink sink(*shm, "shm", Direct::yes);
  FdSource source(*shm, "shm", Direct::yes);
  test::MemorySource memory(pattern(100'000));
  test::MemorySink back;
  Engine engine(16384);
  ASSERT_TRUE(engine.copy(memory, sink, {0, 100'000}, {}));
  ASSERT_TRUE(engine.copy(source, back, {0, 100'000}, {}));
  EXPECT_EQ(back.bytes, memory.bytes());
}

}  // namespace
}  // namespace lhsm::copy
