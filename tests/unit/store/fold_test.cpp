// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/wait.h>

#include <filesystem>

#include "store_fixture.hpp"

namespace lhsm::store {
namespace {

class FoldTest : public JobTest {
 protected:
  static constexpr std::size_t k_items = 300;

  /// Results for some rows, one that is asked for, one copied in part, a run that is over and one that is not.
  void make_news() {
    make_job(k_items);
    expected = items;
    RandomItems random(11);
    auto job = open();
    ASSERT_TRUE(is_ok(job));
    Journal& to = *job->journal;
    ASSERT_TRUE(is_ok(to.append(RunBegunRecord{run_without_end(1)})));
    const RunRecord ended = sample_run(1);
    ASSERT_TRUE(is_ok(to.append(RunEndedRecord{ended.end_ns, ended.exit_code, ended.totals})));
    ASSERT_TRUE(is_ok(to.append(RunBegunRecord{run_without_end(2)})));
    ASSERT_TRUE(is_ok(to.append(request)));
    ASSERT_TRUE(is_ok(to.append(extent)));
    for (int i = 0; i < 400; ++i) {
      ItemResultRecord record{2 + random.below(k_items - 2), random.outcome(), {}};
      if (random.below(2) == 0) record.hsm_state = random.narrow();
      Item& item = expected[record.row];
      item.outcome = record.outcome;
      item.hsm_state = record.hsm_state.value_or(items[record.row].hsm_state);
      ASSERT_TRUE(is_ok(to.append(record)));
    }
    ASSERT_TRUE(is_ok(to.close()));
  }

  static RunRecord run_without_end(std::int64_t begin) {
    RunRecord run = sample_run(begin);
    run.end_ns = 0;
    run.exit_code = 0;
    run.totals = {};
    return run;
  }

  /// The job as the next start sees it, whether it was folded or not.
  void expect_nothing_lost() {
    auto job = open();
    ASSERT_TRUE(is_ok(job));
    ItemSlice slice;
    ASSERT_TRUE(is_ok(job->manifest.read(0, k_items, Columns::all(), slice)));
    ASSERT_TRUE(is_ok(job->state.overlay(0, slice)));
    for (std::size_t i = 0; i < k_items; ++i) ASSERT_TRUE(slice.item(i) == expected[i]) << i;
    EXPECT_EQ(job->state.open_requests(), (std::map<std::uint64_t, RequestRecord>{{0, request}}));
    ASSERT_EQ(job->state.partial_files().size(), 1U);
    EXPECT_EQ(job->state.partial_files().at(1).extents, std::vector{extent});
    auto runs = job->manifest.runs();
    runs.insert(runs.end(), job->state.runs().begin(), job->state.runs().end());
    EXPECT_EQ(runs, (std::vector{sample_run(1), run_without_end(2)}));
    ASSERT_TRUE(is_ok(job->journal->close()));
  }

  const RequestRecord request{0, 77, 5};
  const ExtentRecord extent = extent_of(1, {0, 64}, 3);
  std::vector<Item> expected;
};

TEST_F(FoldTest, BringsTheJournalIntoTheManifest) {
  make_news();
  const auto folded = fold(held);
  ASSERT_TRUE(is_ok(folded));
  EXPECT_EQ(folded->generation, 2U);
  auto reader = ManifestReader::open(path);
  ASSERT_TRUE(is_ok(reader));
  EXPECT_EQ(reader->identity(), *folded);
  EXPECT_EQ(reader->attributes(), k_attributes);
  EXPECT_TRUE(read_items(*reader) == expected);
  expect_nothing_lost();
  EXPECT_EQ(test::files_below(dir.path()), (std::set<std::string>{"job.h5", "job.h5.journal", "job.h5.lock"}));
}

TEST_F(FoldTest, ResultsAreKnownWithoutReadingTheJournalAgain) {
  make_news();
  auto seen = look_at_job(path);
  ASSERT_TRUE(is_ok(seen));
  std::filesystem::resize_file(journal, 64);
  ItemSlice slice;
  ASSERT_TRUE(is_ok(seen->manifest.read(0, k_items, {Column::result, Column::size}, slice)));
  ASSERT_TRUE(is_ok(seen->state.overlay(0, slice)));
  for (std::size_t i = 0; i < k_items; ++i) ASSERT_EQ(slice.result[i], expected[i].outcome.result) << i;
  ASSERT_TRUE(is_ok(seen->manifest.read(0, k_items, Columns::all(), slice)));
  const Status gone = seen->state.overlay(0, slice);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().kind, ErrorKind::corrupt);
}

/// Another run may have taken the job over while the manifest got its name.
TEST_F(FoldTest, GivesNoNameToAJournalThatIsSomebodyElses) {
  make_news();
  const std::string before = test::read_file(journal);
  FaultyDisk disk;
  disk.fault = [this](FaultyDisk::Call call, int) {
    if (call == FaultyDisk::Call::sync_directory) std::filesystem::remove(path + ".lock");
    return 0;
  };
  const auto folded = fold(held, disk);
  ASSERT_FALSE(folded);
  EXPECT_EQ(folded.error().sys_errno, ESTALE);
  EXPECT_TRUE(test::read_file(journal) == before);
  EXPECT_EQ(test::files_below(dir.path()), (std::set<std::string>{"job.h5", "job.h5.journal"}));
}

TEST_F(FoldTest, DoesNothingWithoutNews) {
  make_news();
  ASSERT_TRUE(is_ok(fold(held)));
  const auto again = fold(held);
  ASSERT_TRUE(is_ok(again));
  EXPECT_EQ(again->generation, 2U);
  expect_nothing_lost();
}

TEST_F(FoldTest, ARunThatEndsAfterAFoldIsOneRun) {
  make_news();
  ASSERT_TRUE(is_ok(fold(held)));
  const RunRecord ended = sample_run(2);
  {
    auto job = open();
    ASSERT_TRUE(is_ok(job));
    ASSERT_TRUE(is_ok(job->journal->append(RunEndedRecord{ended.end_ns, ended.exit_code, ended.totals})));
    ASSERT_TRUE(is_ok(job->journal->close()));
  }
  ASSERT_TRUE(is_ok(fold(held)));
  auto reader = ManifestReader::open(path);
  ASSERT_TRUE(is_ok(reader));
  EXPECT_EQ(reader->runs(), (std::vector{sample_run(1), sample_run(2)}));
}

/// Dies, or fails, before the n-th call that changes the disk; in parts, as there are many syncs.
constexpr int k_parts = 4;
class FoldFault : public FoldTest, public testing::WithParamInterface<int> {
 protected:
  int count_calls() {
    FaultyDisk disk;
    const auto saved = dir / "saved";
    std::filesystem::create_directory(saved);
    for (const auto& file : {path, journal}) std::filesystem::copy(file, saved);
    EXPECT_TRUE(is_ok(fold(held, disk)));
    for (const auto& file : {path, journal})
      std::filesystem::copy(saved / std::filesystem::path(file).filename(), file,
                            std::filesystem::copy_options::overwrite_existing);
    backup = saved;
    return disk.calls;
  }
  void restore_files() const {
    for (const auto& file : {path, journal}) {
      std::filesystem::remove(file);
      std::filesystem::copy(backup / std::filesystem::path(file).filename(), file);
    }
  }
  std::filesystem::path backup;
};

TEST_P(FoldFault, ADeathAtAnyPointLosesNothing) {
  make_news();
  const int calls = count_calls();
  ASSERT_GE(calls, 8);
  for (int n = GetParam(); n <= calls; n += k_parts) {
    restore_files();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      FaultyDisk disk;
      disk.fault = [n](FaultyDisk::Call, int call) {
        if (call == n) ::_exit(42);
        return 0;
      };
      ::_exit(fold(held, disk) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), n < calls ? 42 : 0) << n;
    expect_nothing_lost();
    for (const auto& file : test::files_below(dir.path()))
      EXPECT_EQ(file.find(".tmp-"), std::string::npos) << n << file;
    // And the fold is made up for.
    ASSERT_TRUE(is_ok(fold(held))) << n;
    expect_nothing_lost();
    auto reader = ManifestReader::open(path);
    ASSERT_TRUE(is_ok(reader));
    EXPECT_EQ(reader->identity().generation, 2U) << n;
    if (HasFailure()) return;
  }
}

TEST_P(FoldFault, AFailureAtAnyPointLosesNothing) {
  make_news();
  const int calls = count_calls();
  for (int n = GetParam(); n < calls; n += k_parts) {
    restore_files();
    FaultyDisk disk;
    FaultyDisk::Call failed{};
    disk.fault = [&](FaultyDisk::Call call, int i) {
      if (i == n) failed = call;
      return i == n ? EIO : 0;
    };
    const auto folded = fold(held, disk);
    if (failed != FaultyDisk::Call::remove) {
      ASSERT_FALSE(folded) << n;
      EXPECT_EQ(folded.error().sys_errno, EIO);
    }
    expect_nothing_lost();
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, FoldFault, testing::Range(0, k_parts));

TEST_F(FoldTest, AJournalOfAnotherManifestIsNotTouched) {
  make_news();
  const std::string before = test::read_file(journal);
  write_manifest(path, items);
  const auto job = open();
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().kind, ErrorKind::invalid);
  EXPECT_FALSE(fold(held));
  EXPECT_EQ(test::read_file(journal), before);
}

TEST_F(FoldTest, AJournalOfAnotherGenerationIsNotReplayed) {
  make_news();
  const std::string manifest = test::read_file(path);
  const std::string old = test::read_file(journal);
  ASSERT_TRUE(is_ok(fold(held)));
  const std::string second = test::read_file(journal);
  {
    auto job = open();
    ASSERT_TRUE(is_ok(job));
    ASSERT_TRUE(is_ok(job->journal->append(ItemResultRecord{5, {}, {}})));
  }
  ASSERT_TRUE(is_ok(fold(held)));
  test::write_file(journal, old);  // two generations back
  EXPECT_FALSE(open());
  EXPECT_FALSE(look_at_job(path)) << "nor is it passed over";
  EXPECT_EQ(test::read_file(journal), old);
  test::write_file(path, manifest);  // the manifest is older than its journal
  test::write_file(journal, second);
  EXPECT_FALSE(open());
  EXPECT_FALSE(look_at_job(path));
}

TEST_F(FoldTest, CanBeLookedAtWithoutHoldingIt) {
  make_news();
  const auto seen = look_at_job(path);
  ASSERT_TRUE(is_ok(seen));
  EXPECT_EQ(seen->state.open_requests().size(), 1U);
  EXPECT_EQ(seen->manifest.item_count(), k_items);
  std::filesystem::remove(journal);
  const auto bare = look_at_job(path);
  ASSERT_TRUE(is_ok(bare));
  EXPECT_EQ(bare->state.record_count(), 0U);
  EXPECT_EQ(bare->state.result(5), std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(journal)) << "nothing is changed";
}

}  // namespace
}  // namespace lhsm::store
