// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/slot_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>

namespace lhsm::run {
namespace {

using namespace std::chrono_literals;

SlotPool::Task task(JobId job, std::function<void()> run, bool recallable = true) {
  return {job, recallable, [run = std::move(run)](copy::Engine&) { run(); }};
}

TEST(SlotPoolTest, add_runs_every_task_before_the_pool_ends) {
  std::atomic<int> ran = 0;
  {
    SlotPool pool(3, 4096, [] {});
    std::vector<SlotPool::Task> tasks;
    for (JobId job = 1; job <= 100; ++job) tasks.push_back(task(job, [&ran] { ++ran; }));
    pool.add(std::move(tasks));
    pool.add(task(101, [&ran] { ++ran; }));
  }
  EXPECT_EQ(ran, 101);
}

TEST(SlotPoolTest, add_runs_as_many_at_once_as_there_are_slots) {
  std::latch together(3);  // hangs, and times out, if fewer run at once
  SlotPool pool(3, 4096, [] {});
  for (JobId job = 1; job <= 3; ++job) pool.add(task(job, [&together] { together.arrive_and_wait(); }));
}

TEST(SlotPoolTest, idle_time_stands_still_while_a_slot_works) {
  std::promise<void> entered;
  std::promise<void> leave;
  std::promise<void> idle;
  SlotPool pool(2, 4096, [&idle] { idle.set_value(); });
  pool.add(task(1, [&] {
    entered.set_value();
    leave.get_future().wait();
  }));
  entered.get_future().wait();
  const Duration before = pool.idle_time();
  EXPECT_GT(before, 0s);
  EXPECT_EQ(pool.idle_time(), before);
  leave.set_value();
  idle.get_future().wait();
  EXPECT_GT(pool.idle_time(), before);
}

TEST(SlotPoolTest, take_back_returns_the_last_ones_in_order) {
  std::promise<void> entered;
  std::promise<void> leave;
  std::atomic<int> ran = 0;
  SlotPool pool(1, 4096, [] {});
  EXPECT_TRUE(pool.idle());
  pool.add(task(1, [&] {
    entered.set_value();
    leave.get_future().wait_for(20s);
  }));
  entered.get_future().wait();
  EXPECT_EQ(pool.running(), 1U);
  for (JobId job = 2; job <= 6; ++job) pool.add(task(job, [&ran] { ++ran; }, job != 5));
  EXPECT_EQ(pool.take_back(0), std::vector<JobId>{});
  EXPECT_EQ(pool.take_back(2), (std::vector<JobId>{4, 6})) << "5 may not be taken back";
  EXPECT_EQ(pool.take_back(~std::uint32_t{0}), (std::vector<JobId>{2, 3}));
  EXPECT_EQ(pool.take_back(10), std::vector<JobId>{});
  EXPECT_FALSE(pool.idle());
  leave.set_value();
  while (!pool.idle()) std::this_thread::yield();
  EXPECT_EQ(ran, 1);
}

TEST(SlotPoolTest, take_out_returns_what_can_be_abandoned_of_one_job) {
  std::promise<void> leave;
  std::promise<void> entered;
  int ran = 0;
  {
    SlotPool pool(1, 4096, [] {});
    const auto abandonable = [&](JobId job) {
      return SlotPool::Task{job, false, [&ran](copy::Engine&) { ++ran; }, [](const Error&) {}};
    };
    pool.add({7, false, [&](copy::Engine&) { entered.set_value(); leave.get_future().wait(); }, [](const Error&) {}});
    entered.get_future().wait();
    pool.add(abandonable(7));
    pool.add(abandonable(8));
    pool.add(task(7, [&ran] { ++ran; }));
    pool.add(abandonable(7));
    EXPECT_EQ(pool.take_out(7).size(), 2U) << "not the one that runs, nor the one that must";
    EXPECT_EQ(pool.take_out(7).size(), 0U);
    leave.set_value();
  }
  EXPECT_EQ(ran, 2);
}

TEST(SlotPoolTest, on_idle_is_called_when_nothing_is_left) {
  std::atomic<int> idle = 0;
  std::promise<void> done;
  SlotPool pool(1, 4096, [&] {
    if (++idle == 1) done.set_value();
  });
  pool.add(task(1, [] {}));
  EXPECT_EQ(done.get_future().wait_for(20s), std::future_status::ready);
}

TEST(SlotPoolTest, task_is_let_go_before_its_slot_counts_as_free) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  std::promise<bool> gone;
  SlotPool pool(1, 4096, [&] { gone.set_value(watch.expired()); });
  pool.add({1, true, [held = std::move(held)](copy::Engine&) {}});
  EXPECT_TRUE(gone.get_future().get());
}

}  // namespace
}  // namespace lhsm::run
