// SPDX-License-Identifier: LGPL-2.1-or-later
#include <condition_variable>
#include <mutex>
#include <thread>

#include "store_fixture.hpp"

namespace lhsm::store {
namespace {

ItemResultRecord result_of(std::uint64_t row, ItemResult result = ItemResult::done) {
  ItemResultRecord record{row, {}, {}};
  record.outcome.result = result;
  record.outcome.attempts = 1;
  return record;
}

using JournalTest = JobTest;

TEST_F(JournalTest, GivesBackAllKindsOfRecords) {
  make_job(100);
  RandomItems random(2);
  ItemResultRecord result{7, random.outcome(), 0x1dU};
  result.outcome.result = ItemResult::failed;
  const RequestRecord request{8, 0x617d23efU, 5};
  const RequestRecord without_cookie{9, {}, 6};
  const ExtentRecord extent = extent_of(10, {64, 128}, 3, std::string("object\0\n", 8), std::string(32, '\xfe'));
  {
    auto job = open();
    ASSERT_TRUE(is_ok(job));
    RunRecord run = sample_run(3);
    std::uint64_t sequence = 0;
    for (const JournalRecord& record :
         std::vector<JournalRecord>{RunBegunRecord{run}, result, request, without_cookie, extent,
                                    RunEndedRecord{run.end_ns, run.exit_code, run.totals}}) {
      const auto appended = job->journal->append(record);
      ASSERT_TRUE(is_ok(appended));
      EXPECT_EQ(*appended, ++sequence);
    }
    ASSERT_TRUE(is_ok(job->journal->wait_durable(sequence)));
    EXPECT_EQ(job->journal->durable().up_to, sequence);
    EXPECT_EQ(job->journal->pending_bytes(), 0U);
    ASSERT_TRUE(is_ok(job->journal->close()));
  }
  const auto job = open();
  ASSERT_TRUE(is_ok(job));
  const JournalState& state = job->state;
  EXPECT_EQ(state.record_count(), 6U);
  EXPECT_EQ(state.torn_bytes(), 0U);
  EXPECT_EQ(state.result(7), ItemResult::failed);
  EXPECT_EQ(state.result(8), std::nullopt);
  const auto outcome = state.outcome(7);
  ASSERT_TRUE(is_ok(outcome));
  EXPECT_EQ(**outcome, result);
  EXPECT_EQ(state.open_requests(), (std::map<std::uint64_t, RequestRecord>{{8, request}, {9, without_cookie}}));
  ASSERT_EQ(state.partial_files().size(), 1U);
  EXPECT_EQ(state.partial_files().at(10).extents, std::vector{extent});
  EXPECT_EQ(state.runs(), std::vector{sample_run(3)});
}

TEST_F(JournalTest, TheLastResultCountsAndEndsWhatWasOnTheWay) {
  make_job(10);
  {
    auto job = open();
    ASSERT_TRUE(is_ok(job));
    Journal& to = *job->journal;
    for (const JournalRecord& record :
         std::vector<JournalRecord>{RequestRecord{1, 5, 6}, extent_of(1, {0, 1}, 1), result_of(1, ItemResult::pending),
                                    RequestRecord{2, 5, 6}, extent_of(2, {0, 1}, 1), result_of(2, ItemResult::failed),
                                    result_of(2), extent_of(3, {0, 1}, 1), extent_of(3, {1, 1}, 2)})
      ASSERT_TRUE(is_ok(to.append(record)));
    ASSERT_TRUE(is_ok(to.close()));
  }
  const auto job = open();
  ASSERT_TRUE(is_ok(job));
  EXPECT_EQ(job->state.result(1), ItemResult::pending);
  EXPECT_EQ(job->state.result(2), ItemResult::done);
  EXPECT_EQ(job->state.open_requests().size(), 1U);
  EXPECT_EQ(job->state.partial_files().size(), 2U);
  EXPECT_EQ(job->state.partial_files().at(3).version.data_version, 2U);
  EXPECT_EQ(job->state.partial_files().at(3).extents.size(), 1U);
}

TEST_F(JournalTest, RefusesWhatAReplayWouldNotTake) {
  make_job(10);
  auto job = open();
  ASSERT_TRUE(is_ok(job));
  const auto no_row = job->journal->append(result_of(10));
  ASSERT_FALSE(no_row);
  EXPECT_EQ(no_row.error().sys_errno, EINVAL);
  const auto too_long = job->journal->append(extent_of(1, {0, 1}, 1, "v", std::string(k_longest_record, 'x')));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().sys_errno, EMSGSIZE);
  ASSERT_TRUE(is_ok(job->journal->append(result_of(9))));
  ASSERT_TRUE(is_ok(job->journal->close()));
  const auto again = open();
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->state.record_count(), 1U);
}

TEST_F(JournalTest, ManyThreadsAppendAndAllIsThere) {
  constexpr std::uint64_t k_threads = 8;
  constexpr std::uint64_t k_each = 2000;
  make_job(k_threads * k_each);
  {
    auto job = open();
    ASSERT_TRUE(is_ok(job));
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < k_threads; ++t) {
      threads.emplace_back([&, t] {
        std::uint64_t last = 0;
        for (std::uint64_t i = 0; i < k_each; ++i) {
          const auto sequence = job->journal->append(result_of(t * k_each + i));
          ASSERT_TRUE(is_ok(sequence));
          EXPECT_GT(*sequence, last);
          last = *sequence;
          if (i % 500 == 0) {
            EXPECT_TRUE(is_ok(job->journal->wait_durable(last)));
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_TRUE(is_ok(job->journal->close()));
    EXPECT_EQ(job->journal->durable().up_to, k_threads * k_each);
  }
  const auto job = open();
  ASSERT_TRUE(is_ok(job));
  for (std::uint64_t row = 0; row < k_threads * k_each; ++row)
    ASSERT_EQ(job->state.result(row), ItemResult::done) << row;
}

TEST_F(JournalTest, OneSyncCoversAllThatWasAppendedBefore) {
  make_job(1000);
  std::mutex mutex;
  std::condition_variable changed;
  bool may_sync = false;
  int syncs = 0;
  FaultyDisk disk;
  auto job = open(disk);
  ASSERT_TRUE(is_ok(job));
  bool is_syncing = false;
  disk.fault = [&](FaultyDisk::Call call, int) {
    if (call != FaultyDisk::Call::sync) return 0;
    std::unique_lock lock(mutex);
    ++syncs;
    is_syncing = true;
    changed.notify_all();
    changed.wait(lock, [&] { return may_sync; });
    return 0;
  };
  ASSERT_TRUE(is_ok(job->journal->append(result_of(0))));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_syncing; });
  }
  for (std::uint64_t row = 1; row < 1000; ++row) ASSERT_TRUE(is_ok(job->journal->append(result_of(row))));
  EXPECT_EQ(job->journal->durable().up_to, 0U) << "not synced yet";
  EXPECT_GT(job->journal->pending_bytes(), 0U);
  {
    const std::lock_guard lock(mutex);
    may_sync = true;
    changed.notify_all();
  }
  ASSERT_TRUE(is_ok(job->journal->wait_durable(1000)));
  EXPECT_EQ(syncs, 2);
}

TEST_F(JournalTest, TellsWhenMoreIsDurable) {
  make_job(10);
  std::mutex mutex;
  std::condition_variable changed;
  int told = 0;
  auto job = open_job(held, [&] {
    const std::lock_guard lock(mutex);
    ++told;
    changed.notify_all();
  });
  ASSERT_TRUE(is_ok(job));
  ASSERT_TRUE(is_ok(job->journal->append(result_of(1))));
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return told > 0; });
  EXPECT_EQ(job->journal->durable().up_to, 1U);
}

class JournalFailure : public JobTest, public testing::WithParamInterface<FaultyDisk::Call> {};

TEST_P(JournalFailure, IsStickyAndNothingIsConfirmedAfterIt) {
  make_job(10);
  FaultyDisk disk;
  std::atomic<int> told = 0;
  {
    auto job = open_job(
        held, [&] { ++told; }, disk);
    ASSERT_TRUE(is_ok(job));
    ASSERT_TRUE(is_ok(job->journal->append(result_of(0))));
    ASSERT_TRUE(is_ok(job->journal->wait_durable(1)));
    std::atomic<bool> failed = false;
    disk.fault = [&](FaultyDisk::Call call, int) { return call == GetParam() && !failed.exchange(true) ? ENOSPC : 0; };
    ASSERT_TRUE(is_ok(job->journal->append(result_of(1))));
    const Status waited = job->journal->wait_durable(2);
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().sys_errno, ENOSPC);
    EXPECT_TRUE(is_ok(job->journal->wait_durable(1))) << "what was durable stays so";
    // The disk works again, but what it lost is not known.
    const auto later = job->journal->append(result_of(2));
    ASSERT_FALSE(later);
    EXPECT_EQ(later.error().sys_errno, ENOSPC);
    EXPECT_EQ(job->journal->durable().up_to, 1U);
    EXPECT_FALSE(job->journal->durable().status);
    EXPECT_FALSE(job->journal->close());
    EXPECT_EQ(told, 2);
  }
  const auto job = open();
  ASSERT_TRUE(is_ok(job));
  EXPECT_EQ(job->state.result(0), ItemResult::done);
  EXPECT_EQ(job->state.result(1), std::nullopt) << "nobody was told";
}

INSTANTIATE_TEST_SUITE_P(Calls, JournalFailure, testing::Values(FaultyDisk::Call::write, FaultyDisk::Call::sync));

TEST_F(JournalTest, WritesTheLastBatchAgainBeforeItGoesOn) {
  make_job(10);
  {
    auto job = open();
    ASSERT_TRUE(is_ok(job));
    ASSERT_TRUE(is_ok(job->journal->append(result_of(0))));
    ASSERT_TRUE(is_ok(job->journal->close()));
  }
  FaultyDisk disk;
  std::vector<FaultyDisk::Call> calls;
  disk.fault = [&](FaultyDisk::Call call, int) {
    calls.push_back(call);
    return 0;
  };
  const auto job = open(disk);
  ASSERT_TRUE(is_ok(job));
  EXPECT_EQ(calls, (std::vector{FaultyDisk::Call::write, FaultyDisk::Call::sync}));
}

}  // namespace
}  // namespace lhsm::store
