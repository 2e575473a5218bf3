// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/worker_pool.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace lhsm::plan {
namespace {

using namespace std::chrono_literals;

class WorkerPoolTest : public ::testing::Test {
 protected:
  WorkerPool m_pool{20ms};
};

TEST_F(WorkerPoolTest, add_refuses_duplicates_and_no_slots) {
  EXPECT_TRUE(m_pool.add(1, 4, "a"));
  EXPECT_FALSE(m_pool.add(1, 4, "b"));
  EXPECT_FALSE(m_pool.add(2, 0, "a"));
  EXPECT_EQ(m_pool.size(), 1U);
  EXPECT_EQ(m_pool.slots(), 4U);
  EXPECT_TRUE(m_pool.contains(1));
  EXPECT_FALSE(m_pool.contains(2));
}

TEST_F(WorkerPoolTest, for_jobs_of_no_workers_is_nothing) {
  EXPECT_FALSE(m_pool.for_jobs().has_value());
  EXPECT_FALSE(m_pool.for_extent().has_value());
  EXPECT_FALSE(m_pool.find_imbalance().has_value());
}

TEST_F(WorkerPoolTest, for_jobs_takes_the_least_loaded_per_slot) {
  ASSERT_TRUE(m_pool.add(1, 2, "a"));
  ASSERT_TRUE(m_pool.add(2, 8, "a"));
  m_pool.jobs_given(1, 1);
  m_pool.jobs_given(2, 2);
  EXPECT_EQ(m_pool.for_jobs()->first, 2);
  m_pool.jobs_given(2, 4);
  EXPECT_EQ(m_pool.for_jobs()->first, 1);
}

TEST_F(WorkerPoolTest, for_jobs_stops_at_twice_the_slots_until_it_knows_better) {
  ASSERT_TRUE(m_pool.add(1, 4, "a"));
  EXPECT_EQ(m_pool.for_jobs()->second, 8U);
  m_pool.jobs_given(1, 8);
  EXPECT_FALSE(m_pool.for_jobs().has_value());
}

TEST_F(WorkerPoolTest, for_jobs_looks_ahead_by_how_long_jobs_took) {
  ASSERT_TRUE(m_pool.add(1, 4, "a"));
  m_pool.jobs_given(1, 1);
  m_pool.job_done(1, 1ms);  // 20 ms hold 20 jobs a slot
  EXPECT_EQ(m_pool.for_jobs()->second, 4U + 80U);
  ASSERT_TRUE(m_pool.add(2, 4, "a"));
  m_pool.jobs_given(2, 1);
  m_pool.job_done(2, 10s);  // no more than one per slot
  m_pool.jobs_given(1, 200);
  EXPECT_EQ(m_pool.for_jobs(), (std::pair<WorkerId, std::size_t>{2, 4}));
}

TEST_F(WorkerPoolTest, for_jobs_is_bounded_whatever_a_job_took) {
  ASSERT_TRUE(m_pool.add(1, 4, "a"));
  m_pool.jobs_given(1, 2);
  m_pool.job_done(1, 0us);
  EXPECT_LE(m_pool.for_jobs()->second, 2048U);
  m_pool.job_done(1, std::chrono::microseconds(INT64_MIN));
  EXPECT_LE(m_pool.for_jobs()->second, 2048U);
}

TEST_F(WorkerPoolTest, for_jobs_prefers_one_that_copies_no_extents) {
  ASSERT_TRUE(m_pool.add(1, 4, "a"));
  ASSERT_TRUE(m_pool.add(2, 4, "a"));
  m_pool.extent_given(1);
  EXPECT_EQ(m_pool.for_jobs()->first, 2);
}

TEST_F(WorkerPoolTest, for_extent_leaves_half_of_the_slots_when_asked) {
  ASSERT_TRUE(m_pool.add(0, 4, "a"));
  ASSERT_TRUE(m_pool.add(1, 1, "b"));
  EXPECT_TRUE(m_pool.for_extent(Precedence::others, SlotShare::half).has_value()) << "one extent at least, also with one slot";
  m_pool.extent_given(1);
  m_pool.extent_given(0);
  EXPECT_EQ(m_pool.for_extent(Precedence::others, SlotShare::half), 0);
  m_pool.extent_given(0);
  EXPECT_FALSE(m_pool.for_extent(Precedence::others, SlotShare::half).has_value());
  EXPECT_EQ(m_pool.for_extent(), 0);
}

TEST(WorkerPoolReserveTest, bulk_leaves_the_reserved_slots_to_others) {
  WorkerPool pool(std::chrono::milliseconds(20), 1);
  ASSERT_TRUE(pool.add(0, 3, "a"));
  EXPECT_EQ(pool.for_jobs(Precedence::bulk), std::pair(0, std::size_t{2}));
  pool.extent_given(0);
  EXPECT_EQ(pool.for_jobs(Precedence::bulk), std::pair(0, std::size_t{1}));
  pool.extent_given(0);
  EXPECT_FALSE(pool.for_extent(Precedence::bulk).has_value());
  EXPECT_EQ(pool.for_extent(), 0);
  ASSERT_TRUE(pool.for_jobs().has_value());
  EXPECT_GE(pool.for_jobs()->second, 3U);
}

TEST(WorkerPoolReserveTest, one_slot_is_always_left_to_the_bulk) {
  WorkerPool pool(std::chrono::milliseconds(20), 8);
  ASSERT_TRUE(pool.add(0, 2, "a"));
  EXPECT_EQ(pool.for_jobs(Precedence::bulk), std::pair(0, std::size_t{1}));
  EXPECT_EQ(pool.for_extent(Precedence::bulk), 0);
}

TEST_F(WorkerPoolTest, for_extent_spreads_over_hosts_first) {
  ASSERT_TRUE(m_pool.add(0, 2, "a"));
  ASSERT_TRUE(m_pool.add(1, 2, "a"));
  ASSERT_TRUE(m_pool.add(2, 2, "b"));
  std::map<std::string, int> of_host;
  std::map<WorkerId, int> of_worker;
  for (int i = 0; i < 6; ++i) {
    const auto worker = m_pool.for_extent();
    ASSERT_TRUE(worker.has_value());
    m_pool.extent_given(*worker);
    ++of_worker[*worker];
    ++of_host[*worker == 2 ? "b" : "a"];
    if (i == 3) {
      EXPECT_EQ(of_host["a"], 2);
      EXPECT_EQ(of_host["b"], 2);
      EXPECT_EQ(of_worker[0], 1) << "and over the workers of a host";
    }
  }
  EXPECT_FALSE(m_pool.for_extent().has_value()) << "one per slot, none ahead";
  m_pool.extent_done(1);
  EXPECT_EQ(m_pool.for_extent(), 1);
}

TEST_F(WorkerPoolTest, find_imbalance_asks_the_most_loaded_once) {
  ASSERT_TRUE(m_pool.add(1, 4, "a"));
  ASSERT_TRUE(m_pool.add(2, 4, "a"));
  ASSERT_TRUE(m_pool.add(3, 4, "a"));
  m_pool.jobs_given(1, 6);
  m_pool.jobs_given(2, 10);
  const auto imbalance = m_pool.find_imbalance();
  ASSERT_TRUE(imbalance.has_value());
  EXPECT_EQ(imbalance->from, 2);
  EXPECT_EQ(imbalance->surplus, 3U) << "half of what waits";
  EXPECT_FALSE(m_pool.find_imbalance().has_value()) << "asked already";
  m_pool.recall_answered(2);
  EXPECT_TRUE(m_pool.find_imbalance().has_value());
}

TEST_F(WorkerPoolTest, find_imbalance_leaves_what_slots_run) {
  ASSERT_TRUE(m_pool.add(1, 4, "a"));
  ASSERT_TRUE(m_pool.add(2, 4, "a"));
  m_pool.jobs_given(1, 4);
  EXPECT_FALSE(m_pool.find_imbalance().has_value());
}

TEST_F(WorkerPoolTest, find_imbalance_sees_the_idle_behind_one_that_copies_extents) {
  for (const WorkerId worker : {1, 2, 3}) ASSERT_TRUE(m_pool.add(worker, 4, "a"));
  m_pool.extent_given(1);
  m_pool.jobs_given(2, 10);
  EXPECT_TRUE(m_pool.find_imbalance().has_value()) << "worker 3 has nothing at all";
}

/// Counts of our own, against which every choice of the pool is held.
TEST_F(WorkerPoolTest, choices_are_right_after_random_changes) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  struct Model {
    std::uint32_t slots;
    std::size_t host;
    std::size_t jobs = 0;
    std::uint32_t extents = 0;
  };
  std::map<WorkerId, Model> model;
  for (WorkerId id = 0; id < 12; ++id) {
    const Model m{static_cast<std::uint32_t>(1 + random() % 5), random() % 4};
    model.emplace(id, m);
    ASSERT_TRUE(m_pool.add(id, m.slots, "host" + std::to_string(m.host)));
  }
  for (int step = 0; step < 8000; ++step) {
    const auto id = static_cast<WorkerId>(random() % 12);
    Model& m = model.at(id);
    switch (random() % 5) {
      case 0: m_pool.jobs_given(id, 2), m.jobs += 2; break;
      case 1: if (m.jobs > 0) m_pool.job_done(id, std::chrono::microseconds(random() % 100000)), --m.jobs; break;
      case 2: if (m.jobs > 0) m_pool.jobs_taken_back(id, 1), --m.jobs; break;
      case 3: if (m.extents > 0) m_pool.extent_done(id), --m.extents; break;
      default: if (m.extents < m.slots) m_pool.extent_given(id), ++m.extents; break;
    }
    std::map<std::size_t, std::uint32_t> host_extents;
    bool room = false;
    for (const auto& [_, w] : model) {
      host_extents[w.host] += w.extents;
      room |= w.extents < w.slots;
    }
    const auto worker = m_pool.for_extent();
    ASSERT_EQ(worker.has_value(), room);
    if (worker) {
      const Model& chosen = model.at(*worker);
      ASSERT_LT(chosen.extents, chosen.slots);
      for (const auto& [_, w] : model) {
        if (w.extents >= w.slots) continue;
        ASSERT_LE(host_extents[chosen.host], host_extents[w.host]);
        if (w.host == chosen.host) { ASSERT_LE(chosen.extents, w.extents); }
      }
    }
    if (const auto jobs = m_pool.for_jobs()) {
      ASSERT_GT(jobs->second, 0U);
      const Model& chosen = model.at(jobs->first);
      for (const auto& [_, w] : model) { ASSERT_LE(chosen.jobs * 1024 / chosen.slots, w.jobs * 1024 / w.slots); }
    }
  }
}

}  // namespace
}  // namespace lhsm::plan
