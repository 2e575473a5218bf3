// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/threads.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm {
namespace {

/// From here to its end no thread can be started: none has room for such a stack.
class NoMoreThreads {
 public:
  NoMoreThreads() {
    pthread_getattr_default_np(&m_former);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    EXPECT_EQ(pthread_attr_setstacksize(&huge, std::size_t{1} << 60U), 0);
    EXPECT_EQ(pthread_setattr_default_np(&huge), 0);
    pthread_attr_destroy(&huge);
  }
  ~NoMoreThreads() {
    pthread_setattr_default_np(&m_former);
    pthread_attr_destroy(&m_former);
  }
  NoMoreThreads(const NoMoreThreads&) = delete;
  NoMoreThreads& operator=(const NoMoreThreads&) = delete;

 private:
  pthread_attr_t m_former;
};

TEST(StartThreadsTest, each_gets_its_number) {
  std::atomic<unsigned> seen = 0;
  std::vector<std::jthread> threads;
  start_threads(threads, 3, [&seen](std::size_t i) { seen += 1U << i; }, [] {});
  threads.clear();
  EXPECT_EQ(seen, 7U);
}

TEST(StartThreadsTest, those_that_were_started_end_where_one_cannot_be) {
  std::mutex mutex;
  std::condition_variable changed;
  bool stop = false;
  std::vector<std::jthread> threads;
  const auto wait = [&](std::size_t) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&stop] { return stop; });
  };
  const auto request_stop = [&] {
    const std::lock_guard lock(mutex);
    stop = true;
    changed.notify_all();
  };
  start_threads(threads, 2, wait, request_stop);
  const NoMoreThreads none;
  try {
    start_threads(threads, 2, wait, request_stop);
    FAIL() << "threads were started";
  } catch (const Fatal& error) {
    EXPECT_NE(std::string(error.what()).find("EAGAIN"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(stop);
  EXPECT_TRUE(threads.empty());
}

}  // namespace
}  // namespace lhsm
