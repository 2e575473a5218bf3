// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cmath>
#include <limits>
#include <numeric>

#include "job_files.hpp"

namespace lhsm::pages {
namespace {

TEST_F(PagesTest, counts_items_errors_and_attempts) {
  std::vector<Item> items{done_item(0, 1000, k_begin + 2 * k_second, 1), done_item(1, 0, k_begin + 3 * k_second, 0.5F),
                          failed_item(2, ItemResult::failed, ENOENT), failed_item(3, ItemResult::failed, ENOENT),
                          failed_item(4, ItemResult::refused, EPERM)};
  items[0].outcome.attempts = 3;
  for (std::uint32_t n = 5; n < 10; ++n) items.push_back(failed_item(n, ItemResult::failed, ENOENT));
  make_manifest(items, {run(k_begin, k_begin + 10 * k_second)});
  store::SeenJob job = look();
  const auto statistics = gather(job, k_begin + 20 * k_second);
  ASSERT_TRUE(statistics) << statistics.error().describe();
  EXPECT_EQ(statistics->action(), ItemAction::restore);
  EXPECT_EQ(statistics->census.with(ItemResult::done), 2U);
  EXPECT_EQ(statistics->census.unsuccessful(), 8U);
  EXPECT_EQ(statistics->bytes_copied, 1000U);
  EXPECT_EQ(statistics->retried, 1U);
  ASSERT_EQ(statistics->errors.size(), 2U);
  const ErrorGroup& missing = statistics->errors.at({ItemResult::failed, ENOENT});
  EXPECT_EQ(missing.items, 7U);
  EXPECT_EQ(missing.bytes, 700U);
  EXPECT_EQ(missing.examples, (std::vector<std::string>{"dir/file2", "dir/file3", "dir/file5"})) << "not all of them";
  EXPECT_EQ(statistics->copying.count(), 2U);
  EXPECT_DOUBLE_EQ(statistics->copying.longest(), 1.0);
  EXPECT_DOUBLE_EQ(statistics->waiting.longest(), 5.0);
}

TEST_F(PagesTest, time_between_runs_is_left_out) {
  const std::int64_t second_run = k_begin + 86'400 * k_second;
  make_manifest({done_item(0, 4000, k_begin + 4 * k_second, 4), done_item(1, 10, second_run + 5 * k_second, 1)},
                {scan_run(k_begin - 1000 * k_second, k_begin - 999 * k_second), run(k_begin, k_begin + 6 * k_second),
                 run(second_run, second_run + 6 * k_second)});
  store::SeenJob job = look();
  const auto statistics = gather(job, second_run + 1000 * k_second);
  ASSERT_TRUE(statistics);
  const Timeline& timeline = statistics->timeline;
  ASSERT_EQ(timeline.spans().size(), 2U);
  EXPECT_DOUBLE_EQ(timeline.seconds(), 12.0);
  double bytes = 0;
  double done = 0;
  for (const Timeline::Bin& bin : timeline.bins()) {
    bytes += bin.bytes;
    done += bin.done;
  }
  EXPECT_NEAR(bytes, 4010, 1e-6);
  EXPECT_DOUBLE_EQ(done, 2.0);
  EXPECT_NEAR(timeline.bins().at(0).bytes, 4000 * timeline.bin_seconds() / 4, 1e-6) << "spread over the copy's time";
  ASSERT_EQ(statistics->ranks.size(), 1U);
  EXPECT_NEAR(std::accumulate(statistics->ranks[0].busy.begin(), statistics->ranks[0].busy.end(), 0.0), 5.0, 1e-6);
}

TEST_F(PagesTest, all_runs_count_however_many_there_were) {
  std::vector<Item> items;
  std::vector<store::RunRecord> runs{scan_run(k_begin - 1000 * k_second, k_begin - 999 * k_second)};
  for (std::uint32_t n = 0; n < 100; ++n) {
    const std::int64_t begin = k_begin + n * 3600 * k_second;
    items.push_back(done_item(n, 1000, begin + 5 * k_second, 2));
    runs.push_back(run(begin, begin + 6 * k_second));
    runs.push_back(run(begin + 60 * k_second, begin + 64 * k_second));  // in which no item came to its end
    runs.push_back(run(begin + 120 * k_second, 0));                     // killed before one did
  }
  make_manifest(items, runs);
  store::SeenJob job = look();
  const auto statistics = gather(job, 0);
  ASSERT_TRUE(statistics);
  EXPECT_DOUBLE_EQ(statistics->timeline.seconds(), 1000);
  double done = 0;
  double bytes = 0;
  for (const Timeline::Bin& bin : statistics->timeline.bins()) {
    done += bin.done;
    bytes += bin.bytes;
  }
  EXPECT_DOUBLE_EQ(done, 100);
  EXPECT_NEAR(bytes, 100'000, 1e-6);
}

TEST_F(PagesTest, runs_of_another_action_do_not_count) {
  auto archive = run(k_begin - 1000 * k_second, k_begin - 900 * k_second);
  archive.command_line = "lhsmtool_mpi archive job.h5 /mnt";
  auto retry = run(k_begin - 800 * k_second, k_begin - 700 * k_second);
  retry.command_line = "lhsmtool_mpi retry job.h5 /mnt";
  make_manifest({done_item(0, 1, k_begin + k_second, 1)}, {archive, retry, run(k_begin, k_begin + 5 * k_second)});
  store::SeenJob job = look();
  EXPECT_DOUBLE_EQ(gather(job, 0)->timeline.seconds(), 5);
}

TEST_F(PagesTest, a_killed_run_ends_with_its_last_result) {
  make_manifest({done_item(0, 1, k_begin + 30 * k_second, 1)}, {run(k_begin, 0)});
  store::SeenJob job = look();
  EXPECT_DOUBLE_EQ(gather(job, 0)->timeline.seconds(), 30.0);
  EXPECT_DOUBLE_EQ(gather(job, k_begin + 40 * k_second)->timeline.seconds(), 40.0) << "it goes on";
}

TEST_F(PagesTest, results_of_the_journal_count) {
  Item item = done_item(0, 5, 0, 0);
  item.outcome = {};
  make_manifest({item, item});
  {
    const auto lock = store::JobLock::acquire(m_path);
    ASSERT_TRUE(lock);
    auto opened = store::open_job(*lock, [] {});
    ASSERT_TRUE(opened);
    store::ItemResultRecord record;
    record.row = 1;
    record.outcome = done_item(1, 5, k_begin, 1).outcome;
    ASSERT_TRUE(opened->journal->append(record));
    ASSERT_TRUE(opened->journal->close());
  }
  store::SeenJob job = look();
  const auto statistics = gather(job, k_begin);
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->census.with(ItemResult::done), 1U);
  EXPECT_EQ(statistics->census.left(), 1U);
}

TEST_F(PagesTest, many_ranks_share_rows_and_few_slow_files_are_kept) {
  std::vector<Item> items;
  for (std::uint32_t n = 0; n < 1000; ++n)
    items.push_back(done_item(n, 1, k_begin + k_second, static_cast<float>(n) / 1000, static_cast<std::int32_t>(n)));
  make_manifest(items, {run(k_begin, k_begin + 2 * k_second)});
  store::SeenJob job = look();
  const auto statistics = gather(job, k_begin);
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->ranks.size(), 32U);
  EXPECT_EQ(statistics->ranks[0].items, 32U);
  EXPECT_EQ(statistics->ranks[31].last, 999);
  ASSERT_EQ(statistics->slowest.size(), Statistics::k_most_slow);
  EXPECT_EQ(statistics->slowest.front().path, "dir/file999");
  EXPECT_EQ(statistics->slowest.back().path, "dir/file980");
}

TEST_F(PagesTest, odd_values_do_no_harm) {
  std::vector<Item> items;
  for (std::uint32_t n = 0; n < 4; ++n) items.push_back(done_item(n, ~std::uint64_t{0}, k_begin, 1));
  items[0].outcome.rank = std::numeric_limits<std::int32_t>::max();
  items[1].outcome.end_ns = std::numeric_limits<std::int64_t>::max();
  items[2].outcome.seconds = std::numeric_limits<float>::quiet_NaN();
  items[3].outcome.end_ns = -5;
  items[3].outcome.seconds = 1e30F;
  make_manifest(items, {run(0, 0), run(k_begin, -1), run(-7, 7)});
  store::SeenJob job = look();
  const auto statistics = gather(job, k_begin);
  ASSERT_TRUE(statistics);
  EXPECT_EQ(statistics->census.with(ItemResult::done), 4U);
  EXPECT_LT(written([&](Output& out) {
              return write_html(job, {"job.h5", "test", k_begin, false}, *statistics, out);
            }).size(),
            1U << 20U);
}

TEST(LatenciesTest, quantiles_are_within_a_step) {
  Latencies latencies;
  for (int i = 1; i <= 1000; ++i) latencies.add(i * 0.01);
  EXPECT_EQ(latencies.count(), 1000U);
  EXPECT_NEAR(latencies.quantile(0.5), 5.0, 0.5);
  EXPECT_NEAR(latencies.quantile(0.99), 9.9, 0.9);
  EXPECT_DOUBLE_EQ(latencies.quantile(1), 10.0);
  EXPECT_NEAR(latencies.mean(), 5.005, 1e-9);
  std::uint64_t sum = 0;
  for (std::size_t octave = 0; octave < Latencies::k_octaves; ++octave) sum += latencies.in_octave(octave);
  EXPECT_EQ(sum, 1000U);
}

TEST(LatenciesTest, takes_anything) {
  Latencies latencies;
  for (const double seconds : {0.0, -1.0, 1e300, std::nan(""), 1e-9}) latencies.add(seconds);
  EXPECT_EQ(latencies.count(), 5U);
  EXPECT_EQ(Latencies().quantile(0.5), 0);
}

TEST(SizeDistributionTest, classes_are_powers_of_two) {
  SizeDistribution sizes;
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1023}, std::uint64_t{1024}, ~std::uint64_t{0}})
    sizes.add(size);
  EXPECT_EQ(sizes.classes()[0].items, 1U);
  EXPECT_EQ(sizes.classes()[1].items, 1U);
  EXPECT_EQ(sizes.classes()[10].bytes, 1023U);
  EXPECT_EQ(sizes.classes()[11].items, 1U);
  EXPECT_EQ(sizes.classes()[64].items, 1U);
  EXPECT_EQ(sizes.quantile(0.2), 0U);
  EXPECT_EQ(sizes.quantile(0.6), 1024U);
  EXPECT_EQ(sizes.quantile(1), ~std::uint64_t{0});
  EXPECT_EQ(SizeDistribution().quantile(0.5), 0U);
}

TEST(TimelineTest, moments_out_of_all_spans_have_no_bin) {
  const Timeline timeline({{k_begin, k_begin + 10 * k_second}, {k_begin + 100 * k_second, k_begin + 110 * k_second}});
  EXPECT_DOUBLE_EQ(timeline.seconds(), 20.0);
  EXPECT_EQ(timeline.bin_of(k_begin), 0U);
  EXPECT_EQ(timeline.bin_of(k_begin + 50 * k_second), timeline.bins().size());
  EXPECT_EQ(timeline.bin_of(k_begin + 110 * k_second), timeline.bins().size() - 1);
  double shares = 0;
  timeline.spread(k_begin + 5 * k_second, k_begin + 105 * k_second,
                  [&](std::size_t, double share) { shares += share; });
  EXPECT_NEAR(shares, 1, 1e-9);
  timeline.spread(k_begin + 50 * k_second, k_begin + 60 * k_second, [](std::size_t, double) { FAIL(); });
}

}  // namespace
}  // namespace lhsm::pages
