// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The interposed calls one by one: this program is linked with the library, so they are its own. Each is
// made on a released file under policy NonBlockingRestore, where it must fail with ENODATA and record a
// restore, or must not care.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include <functional>

#include "unit/emulator/blocked_reader_fixture.hpp"

extern "C" {
ssize_t __read_chk(int fd, void* buffer, std::size_t size, std::size_t room);
ssize_t __pread64_chk(int fd, void* buffer, std::size_t size, off_t offset, std::size_t room);
}

namespace lhsm::emulator {
namespace {

using Call = std::function<long(int fd, const std::string& path)>;

class InterposedCallsTest : public BlockedReaderTest {
 protected:
  void SetUp() override {
    BlockedReaderTest::SetUp();
    if (IsSkipped()) return;
    path = make_released("f", 4096);
    other = make("other", 4096);
    set("hsm.policy=+NBR");
  }
  void waits(const char* name, const Call& call) {
    SCOPED_TRACE(name);
    const Fd fd = open_file(path, O_RDWR);
    errno = 0;
    EXPECT_EQ(call(*fd, path), -1);
    EXPECT_EQ(errno, ENODATA);
    EXPECT_EQ(restores_recorded(), 1);
    EXPECT_EQ(stat_of(path).st_size, 4096);
    set("hsm_control=purge");
    set("hsm.grace_delay=1");
    EXPECT_TRUE(comes_true("! lctl get_param -n mdt.*.hsm.actions | grep RESTORE"));
  }
  void does_not_care(const char* name, const Call& call) {
    SCOPED_TRACE(name);
    const Fd fd = open_file(path, O_RDWR);
    errno = 77;
    EXPECT_GE(call(*fd, path), 0);
    EXPECT_EQ(errno, 77) << "a call that succeeds leaves it";
    EXPECT_EQ(restores_recorded(), 0);
    EXPECT_EQ(state(path), k_released_state);
  }
  std::string path;
  std::string other;
};

char g_bytes[16];
iovec g_vector{g_bytes, sizeof g_bytes};

TEST_F(InterposedCallsTest, reads) {
  waits("read", [](int fd, auto&) { return ::read(fd, g_bytes, 1); });
  waits("pread", [](int fd, auto&) { return ::pread(fd, g_bytes, 1, 0); });
  waits("pread behind the end", [](int fd, auto&) { return ::pread64(fd, g_bytes, 1, 1 << 20); });
  waits("readv", [](int fd, auto&) { return ::readv(fd, &g_vector, 1); });
  waits("preadv", [](int fd, auto&) { return ::preadv(fd, &g_vector, 1, 0); });
  waits("preadv2", [](int fd, auto&) { return ::preadv2(fd, &g_vector, 1, -1, 0); });
  waits("__read_chk", [](int fd, auto&) { return __read_chk(fd, g_bytes, 1, 16); });
  waits("__pread64_chk", [](int fd, auto&) { return __pread64_chk(fd, g_bytes, 1, 0, 16); });
}

TEST_F(InterposedCallsTest, writes) {
  waits("write", [](int fd, auto&) { return ::write(fd, g_bytes, 1); });
  waits("pwrite", [](int fd, auto&) { return ::pwrite(fd, g_bytes, 1, 0); });
  waits("pwrite64", [](int fd, auto&) { return ::pwrite64(fd, g_bytes, 1, 0); });
  waits("writev", [](int fd, auto&) { return ::writev(fd, &g_vector, 1); });
  waits("pwritev", [](int fd, auto&) { return ::pwritev(fd, &g_vector, 1, 0); });
  waits("pwritev2", [](int fd, auto&) { return ::pwritev2(fd, &g_vector, 1, 0, 0); });
}

TEST_F(InterposedCallsTest, sizes_and_holes) {
  waits("truncate", [](int, auto& p) { return ::truncate(p.c_str(), 5); });
  waits("truncate to nothing", [](int, auto& p) { return ::truncate64(p.c_str(), 0); });
  waits("ftruncate", [](int fd, auto&) { return ::ftruncate(fd, 5); });
  waits("O_TRUNC", [](int, auto& p) { return ::open(p.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC); });
  waits("creat", [](int, auto& p) { return ::creat(p.c_str(), 0600); });
  waits("fopen w", [](int, auto& p) { return std::fopen(p.c_str(), "w") == nullptr ? -1 : 0; });
  waits("fopen r", [](int, auto& p) { return std::fopen(p.c_str(), "r") == nullptr ? -1 : 0; });
  waits("fdopen", [](int fd, auto&) { return ::fdopen(fd, "r+") == nullptr ? -1 : 0; });
  waits("fallocate", [](int fd, auto&) { return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096); });
  waits("posix_fallocate", [](int fd, auto&) {
    errno = ::posix_fallocate(fd, 0, 4096);
    return errno == 0 ? 0 : -1;
  });
  waits("SEEK_DATA", [](int fd, auto&) { return ::lseek(fd, 0, SEEK_DATA); });
  waits("SEEK_HOLE", [](int fd, auto&) { return ::lseek64(fd, 0, SEEK_HOLE); });
}

TEST_F(InterposedCallsTest, maps_and_copies) {
  const Fd to = open_file(other, O_RDWR);
  waits("mmap",
        [](int fd, auto&) { return ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0; });
  waits("copy_file_range", [&](int fd, auto&) { return ::copy_file_range(fd, nullptr, *to, nullptr, 10, 0); });
  waits("copy_file_range to it", [&](int fd, auto&) { return ::copy_file_range(*to, nullptr, fd, nullptr, 10, 0); });
  waits("sendfile", [&](int fd, auto&) { return ::sendfile(*to, fd, nullptr, 10); });
  waits("splice", [&](int fd, auto&) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return 0L;
    const Fd out(ends[0]);
    const Fd in(ends[1]);
    return static_cast<long>(::splice(fd, nullptr, *in, nullptr, 10, 0));
  });
  waits("FICLONE", [&](int fd, auto&) { return ::ioctl(*to, FICLONE, fd); });
  waits("FICLONE to it", [&](int fd, auto&) { return ::ioctl(fd, FICLONE, *to); });
}

TEST_F(InterposedCallsTest, what_wants_no_data) {
  does_not_care("open", [](int, auto& p) { return open_file(p, O_RDWR) ? 0 : -1; });
  does_not_care("lseek", [](int fd, auto&) { return ::lseek(fd, 0, SEEK_END) - 4096; });
  does_not_care("read nothing", [](int fd, auto&) { return ::read(fd, g_bytes, 0); });
  does_not_care("futimens", [](int fd, auto&) {
    struct stat st {};
    if (::fstat(fd, &st) != 0) return -1;
    const timespec times[2] = {st.st_atim, st.st_mtim};
    return ::futimens(fd, times);
  });
  does_not_care("map of nothing", [](int, auto&) {
    void* map = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return map == MAP_FAILED ? -1 : ::munmap(map, 4096);
  });
  does_not_care("a file beside it", [this](int, auto&) { return ::read(*open_file(other), g_bytes, 1); });
}

TEST_F(InterposedCallsTest, errors_are_the_kernels) {
  const auto fails = [](long rc) { return rc == -1 ? errno : 0; };
  EXPECT_EQ(fails(::read(-1, g_bytes, 1)), EBADF);
  EXPECT_EQ(fails(::pread(*open_file(other), g_bytes, 1, -1)), EINVAL);
  EXPECT_EQ(fails(::preadv(*open_file(other), &g_vector, 1, -1)), EINVAL);
  EXPECT_EQ(fails(::write(*open_file(other), g_bytes, 1)), EBADF);
  EXPECT_EQ(fails(::truncate((mount + "/none").c_str(), 1)), ENOENT);
  EXPECT_EQ(fails(::ftruncate(*open_file(other, O_RDWR), -1)), EINVAL);
  EXPECT_EQ(fails(::open((other + "/x").c_str(), O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600)), ENOTDIR);
  EXPECT_EQ(fails(::open(other.c_str(), O_WRONLY | O_TRUNC | O_CREAT | O_EXCL | O_CLOEXEC, 0600)), EEXIST);
  EXPECT_EQ(::read(*open_file(other), g_bytes, 1), 1);
}

TEST_F(InterposedCallsTest, a_descriptor_that_means_another_file_is_looked_at_again) {
  const auto second = make("second", 4096);
  archive(second);
  const int number = open_file(second).release();
  EXPECT_EQ(::pread(number, g_bytes, 1, 0), 1);
  ASSERT_EQ(::dup2(*open_file(path), number), number);
  EXPECT_EQ(::pread(number, g_bytes, 1, 0), -1);
  ASSERT_EQ(::close(number), 0);
  request(second, HUA_RELEASE);
  const Fd again(::dup3(*open_file(second), number, O_CLOEXEC));
  EXPECT_EQ(::pread(number, g_bytes, 1, 0), -1) << "released since this descriptor was looked at";
}

TEST_F(InterposedCallsTest, children_and_threads) {
  EXPECT_EQ(in_child([&] { return ::read(*open_file(path), g_bytes, 1) == -1 ? errno : 0; }), ENODATA);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round)
        if (::read(*open_file(path), g_bytes, 1) == -1 && errno == ENODATA) ++failures;
    });
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(in_child([&] { return ::read(*open_file(path), g_bytes, 1) == -1 ? errno : 0; }), ENODATA);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 160);
  EXPECT_EQ(restores_recorded(), 1);
}

TEST_F(InterposedCallsTest, direct_reads) {
  set("hsm.policy=-NBR");
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!fd) GTEST_SKIP() << "no O_DIRECT here";
  alignas(4096) static char block[4096];
  ssize_t got = 0;
  std::thread reader([&] { got = ::read(*fd, block, sizeof block); });
  EXPECT_TRUE(are_waiting(1));
  restore(pattern(4096));
  reader.join();
  ASSERT_EQ(got, 4096);
  EXPECT_EQ(std::string(block, 4096), pattern(4096));
}

}  // namespace
}  // namespace lhsm::emulator
