// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>
#include <sys/wait.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>
#include <tuple>

#include "../../../src/store/lock_file.hpp"
#include "store_fixture.hpp"

namespace lhsm::store {
namespace {

/// With locks of open files, and as on a file system without them.
class JobLockTest : public testing::TestWithParam<bool> {
 protected:
  [[nodiscard]] JobLock::Options options() const {
    JobLock::Options options;
    options.file_locks = GetParam();
    return options;
  }
  [[nodiscard]] Outcome<JobLock> acquire() const { return JobLock::acquire(path, options()); }

  void expect_busy(const Outcome<JobLock>& lock, const std::string& word) const {
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().kind, ErrorKind::busy);
    EXPECT_NE(lock.error().describe().find(word), std::string::npos) << lock.error().describe();
    EXPECT_EQ(lock.error().describe().find('\n'), std::string::npos);
  }

  /// A lock file as a process of another host leaves it.
  LockOwner write_foreign(bool is_locked) const {
    LockOwner owner;
    owner.process = {"another-boot/pid:[1]", 4711, 5};
    owner.host = "n17";
    owner.is_locked = is_locked;
    owner.token = 99;
    owner.beats = 3;
    test::write_file(file, owner.text());
    return owner;
  }

  test::TempDir dir;
  std::string path = dir / "job.h5";
  std::string file = path + ".lock";
};

TEST_P(JobLockTest, HoldsUntilItIsGivenUp) {
  {
    const auto lock = acquire();
    ASSERT_TRUE(is_ok(lock));
    EXPECT_EQ(lock->manifest_path(), path);
    expect_busy(acquire(), fmt::format("pid {} on {}", ::getpid(), host_name()));
    EXPECT_FALSE(lock->is_lost());
  }
  EXPECT_TRUE(test::files_below(dir.path()).empty());
  EXPECT_TRUE(is_ok(acquire()));
}

/// Return who holds the manifest, as somebody sees it who only looks; nobody: "".
std::string holder_of(const std::string& path) {
  const auto holder = look_at_lock(path);
  EXPECT_TRUE(is_ok(holder));
  return holder ? holder->value_or("") : "an error";
}

TEST_P(JobLockTest, ALookTellsWhoHoldsItAndTakesNothing) {
  EXPECT_EQ(holder_of(path), "");
  EXPECT_TRUE(test::files_below(dir.path()).empty());
  {
    const auto lock = acquire();
    ASSERT_TRUE(is_ok(lock));
    const std::string before = test::read_file(file);
    EXPECT_NE(holder_of(path).find(fmt::format("pid {} on {}", ::getpid(), host_name())), std::string::npos);
    EXPECT_EQ(test::read_file(file), before);
    EXPECT_FALSE(lock->is_lost());
  }
  EXPECT_EQ(holder_of(path), "");
  LockOwner owner = write_foreign(false);
  EXPECT_NE(holder_of(path).find("n17"), std::string::npos) << "whom we cannot see is believed to be there";
  write_foreign(true);
  EXPECT_EQ(holder_of(path), "") << "the lock of the file would be held";
  owner.process = ProcessIdentity::self();
  owner.process.started += 1;  // another process that had our number
  test::write_file(file, owner.text());
  EXPECT_EQ(holder_of(path), "");
  test::write_file(file, "garbage");
  EXPECT_NE(holder_of(path), "");
}

TEST_P(JobLockTest, IsMovable) {
  auto first = acquire();
  ASSERT_TRUE(is_ok(first));
  const JobLock second = std::move(*first);
  expect_busy(acquire(), "in use by");
}

TEST_P(JobLockTest, HoldsAgainstOtherProcessesAndEndsWithThem) {
  int ready[2];
  int leave[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(leave), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(leave[1]);
    const auto lock = acquire();
    char byte = lock ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    std::ignore = ::read(leave[0], &byte, 1);
    ::_exit(0);  // as a kill: the lock file stays
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  expect_busy(acquire(), fmt::format("pid {} on {}", child, host_name()));
  ::close(leave[1]);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_TRUE(is_ok(acquire()));
  for (const int fd : {ready[0], ready[1], leave[0]}) ::close(fd);
}

TEST_P(JobLockTest, OnlyOneOfManyTakesADeadOnesLock) {
  LockOwner dead;
  dead.process = ProcessIdentity::self();
  dead.process.started += 1;  // another process that had our number
  dead.host = host_name();
  test::write_file(file, dead.text());
  std::mutex mutex;
  std::vector<JobLock> held;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      auto lock = acquire();
      if (!lock) {
        EXPECT_EQ(lock.error().kind, ErrorKind::busy) << lock.error().describe();
      }
      const std::lock_guard guard(mutex);
      if (lock) held.push_back(std::move(*lock));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(held.size(), 1U);
  for (const JobLock& lock : held) EXPECT_FALSE(lock.is_lost());
  if (held.empty()) {
    EXPECT_TRUE(is_ok(acquire())) << "all others had given way";
  }
}

TEST_P(JobLockTest, BelievesWhatItCannotSee) {
  write_foreign(false);
  expect_busy(acquire(), "pid 4711 on n17");
  expect_busy(acquire(), "remove " + file);
  std::filesystem::remove(file);
  EXPECT_TRUE(is_ok(acquire()));
  test::write_file(file, "");
  expect_busy(acquire(), "unreadable");
}

TEST_P(JobLockTest, TheLockOfAFileTellsThatAnotherHostIsGone) {
  write_foreign(true);
  const auto lock = acquire();
  // The directory for tests may lie on a file system whose locks end at the host.
  if (GetParam() && lock) {
    EXPECT_FALSE(lock->is_lost());
    expect_busy(acquire(), "in use by");
  } else {
    expect_busy(lock, "as far as can be seen");
  }
}

TEST_P(JobLockTest, TakesASilentLockOverWhenToldTo) {
  write_foreign(false);
  auto patient = options();
  patient.take_over_after = std::chrono::milliseconds(50);
  const auto lock = JobLock::acquire(path, patient);
  ASSERT_TRUE(is_ok(lock));
  expect_busy(acquire(), "in use by");
}

TEST_P(JobLockTest, DoesNotTakeALivingLockOver) {
  LockOwner owner = write_foreign(false);
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  std::mutex mutex;
  bool done = false;
  std::thread beating([&] {
    for (;;) {
      {
        const std::lock_guard guard(mutex);
        if (done) return;
      }
      ++owner.beats;
      EXPECT_TRUE(is_ok(write_owner(*fd, owner, file)));
    }
  });
  auto patient = options();
  patient.take_over_after = std::chrono::minutes(1);  // ended by the first sign of life
  const auto lock = JobLock::acquire(path, patient);
  {
    const std::lock_guard guard(mutex);
    done = true;
  }
  beating.join();
  expect_busy(lock, "in use by pid 4711");
}

TEST_P(JobLockTest, NoticesThatItIsLost) {
  std::mutex mutex;
  std::condition_variable changed;
  int told = 0;
  auto watched = options();
  watched.heartbeat = std::chrono::milliseconds(1);
  watched.lost = [&] {
    const std::lock_guard guard(mutex);
    ++told;
    changed.notify_all();
  };
  {
    const auto lock = JobLock::acquire(path, watched);
    ASSERT_TRUE(is_ok(lock));
    const auto before = read_owner(file);
    ASSERT_TRUE(is_ok(before));
    std::filesystem::remove(file);
    write_foreign(false);
    std::unique_lock guard(mutex);
    changed.wait(guard, [&] { return told == 1; });
    EXPECT_TRUE(lock->is_lost());
  }
  EXPECT_TRUE(std::filesystem::exists(file)) << "what is another's is not removed";
}

TEST_P(JobLockTest, ADeadTakeOverIsInNobodysWay) {
  LockOwner dead;
  dead.process = ProcessIdentity::self();
  dead.process.started += 1;
  test::write_file(file, dead.text());
  test::write_file(file + ".takeover", dead.text());
  EXPECT_TRUE(is_ok(acquire()));
  EXPECT_FALSE(std::filesystem::exists(file + ".takeover"));
}

TEST_P(JobLockTest, TellsWhyItCannotBeTaken) {
  const auto lock = JobLock::acquire(dir / "missing/job.h5", options());
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().kind, ErrorKind::not_found);
}

INSTANTIATE_TEST_SUITE_P(FileLocks, JobLockTest, testing::Bool());

}  // namespace
}  // namespace lhsm::store
