// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Journals that are rotated and folded while they are appended to, and what deaths and failures leave of them.
#include <sys/mman.h>
#include <sys/wait.h>

#include <filesystem>

#include "store_fixture.hpp"

namespace lhsm::store {
namespace {

ItemResultRecord result_of(std::uint64_t row, ItemResult result = ItemResult::done, std::uint32_t attempts = 1) {
  ItemResultRecord record{row, {}, {}};
  record.outcome.result = result;
  record.outcome.attempts = attempts;
  return record;
}

RunRecord run_without_end(std::int64_t begin) {
  RunRecord run = sample_run(begin);
  run.end_ns = 0;
  run.exit_code = 0;
  run.totals = {};
  return run;
}

/// All that a job's files tell together.
struct Picture {
  std::vector<ItemOutcome> outcomes;
  std::map<std::uint64_t, RequestRecord> requests;
  std::map<std::uint64_t, std::vector<ExtentRecord>> extents;
  std::vector<RunRecord> runs;
  friend bool operator==(const Picture&, const Picture&) = default;

  void set_partial(const std::map<std::uint64_t, PartialFile>& partial) {
    for (const auto& [row, file] : partial) extents[row] = file.extents;
  }
};

class RotationTest : public JobTest {
 protected:
  static constexpr std::size_t k_items = 40;
  RotationTest() { make_job(k_items); }

  /// What happens to the job, in three parts, between which its journal is rotated. The last run goes on over all of them.
  static std::vector<std::vector<JournalRecord>> story() {
    const RunRecord ended = sample_run(1);
    return {{RunBegunRecord{run_without_end(1)}, result_of(30), RunEndedRecord{ended.end_ns, ended.exit_code, ended.totals},
             RunBegunRecord{run_without_end(2)}, RequestRecord{0, 77, 5}, extent_of(1, {0, 64}, 3), RequestRecord{3, 78, 5},
             extent_of(4, {0, 64}, 3), result_of(2, ItemResult::failed), RequestRecord{5, {}, 6}, result_of(6), extent_of(7, {0, 8}, 1)},
            {result_of(2, ItemResult::done, 2), extent_of(1, {64, 64}, 3), result_of(3), result_of(4), RequestRecord{8, 79, 7},
             RequestRecord{5, 80, 8}, extent_of(7, {0, 8}, 2), result_of(9, ItemResult::pending)},
            {result_of(8), extent_of(1, {128, 64}, 3), result_of(10), RequestRecord{11, {}, 9}, result_of(5, ItemResult::cancelled)}};
  }
  static std::vector<JournalRecord> whole_story() {
    std::vector<JournalRecord> all;
    for (const auto& part : story()) all.insert(all.end(), part.begin(), part.end());
    return all;
  }
  /// What the files must tell after the first `count` records of the story.
  static Picture after(std::size_t count) {
    Picture picture;
    picture.outcomes.resize(k_items);
    OnTheWay way;
    const auto all = whole_story();
    for (std::size_t i = 0; i < count; ++i) {
      way.take(all[i]);
      if (const auto* result = std::get_if<ItemResultRecord>(&all[i])) picture.outcomes[result->row] = result->outcome;
      if (const auto* begun = std::get_if<RunBegunRecord>(&all[i])) picture.runs.push_back(begun->run);
      if (const auto* ended = std::get_if<RunEndedRecord>(&all[i])) {
        picture.runs.back().end_ns = ended->end_ns;
        picture.runs.back().exit_code = ended->exit_code;
        picture.runs.back().totals = ended->totals;
      }
    }
    picture.requests = way.requests;
    picture.set_partial(way.partial);
    return picture;
  }
  static Picture picture_of(ManifestReader& manifest, const JournalState& state) {
    Picture picture;
    ItemSlice slice;
    EXPECT_TRUE(is_ok(manifest.read(0, manifest.item_count(), Columns::all(), slice)));
    EXPECT_TRUE(is_ok(state.overlay(0, slice)));
    for (std::size_t i = 0; i < slice.result.size(); ++i) {
      picture.outcomes.push_back(slice.item(i).outcome);
      const auto only = state.result(i);
      EXPECT_TRUE(!only || *only == slice.result[i]) << i;
    }
    picture.requests = state.open_requests();
    picture.set_partial(state.partial_files());
    picture.runs = manifest.runs();
    picture.runs.insert(picture.runs.end(), state.runs().begin(), state.runs().end());
    return picture;
  }
  [[nodiscard]] Picture look() const {
    auto seen = look_at_job(path);
    EXPECT_TRUE(is_ok(seen));
    return seen ? picture_of(seen->manifest, seen->state) : Picture{};
  }
  [[nodiscard]] Picture start() const {
    auto job = open();
    EXPECT_TRUE(is_ok(job));
    if (!job) return {};
    const Picture picture = picture_of(job->manifest, job->state);
    EXPECT_TRUE(is_ok(job->journal->close()));
    return picture;
  }
  /// Everybody sees the same: the records that were confirmed, and perhaps some after them. A fold() that died between its renames
  /// shows a look the results only, not what is on the way.
  void expect_nothing_lost(std::size_t confirmed, bool looks_first = true) {
    const Picture seen = looks_first ? look() : start();
    const std::size_t count = whole_story().size();
    std::size_t found = confirmed;
    while (found < count && !(seen == after(found))) ++found;
    ASSERT_TRUE(seen == after(found)) << "of at least " << confirmed << " records";
    EXPECT_TRUE(start() == after(found));
    EXPECT_TRUE(start() == after(found)) << "and again";
    EXPECT_TRUE(look() == after(found)) << "by a look";
    EXPECT_TRUE(is_ok(fold_rotated(held, false_flag)));
    EXPECT_TRUE(start() == after(found)) << "folded in part";
    EXPECT_TRUE(is_ok(fold(held)));
    EXPECT_TRUE(start() == after(found)) << "folded";
    for (const auto& file : test::files_below(dir.path())) {
      EXPECT_EQ(file.find(".tmp-"), std::string::npos) << file;
      EXPECT_EQ(file.find(".old"), std::string::npos) << file;
    }
  }

  /// The story, with a rotation and a fold after each part. Says after each record that is durable how many are. Goes on after an
  /// error of a fold, ends with one of the journal.
  template <class Confirm>
  void live(Disk& disk, Confirm confirm) {
    auto job = open(disk);
    if (!job) return;
    std::size_t count = 0;
    bool has_rotated = job->state.rotated_base() != nullptr;
    const auto parts = story();
    for (const auto& part : parts) {
      std::uint64_t last = 0;
      for (const JournalRecord& record : part) {
        const auto sequence = job->journal->append(record);
        if (!sequence) return;
        last = *sequence;
      }
      count += part.size();
      if (!job->journal->wait_durable(last)) return;
      confirm(count);
      if (!has_rotated) has_rotated = job->journal->rotate(rotated).has_value();
      if (has_rotated) has_rotated = !fold_rotated(held, false_flag, disk);
    }
    std::ignore = job->journal->close();
  }

  const std::string rotated = path + ".journal.old";
  std::atomic<bool> false_flag = false;
};

TEST_F(RotationTest, AJournalIsRotatedAndFoldedWhileItIsAppendedTo) {
  auto job = open();
  ASSERT_TRUE(is_ok(job));
  std::size_t count = 0;
  std::uint64_t generation = 1;
  for (const auto& part : story()) {
    std::uint64_t last = 0;
    for (const JournalRecord& record : part) {
      const auto sequence = job->journal->append(record);
      ASSERT_TRUE(is_ok(sequence));
      EXPECT_EQ(*sequence, ++count);
      last = *sequence;
    }
    ASSERT_TRUE(is_ok(job->journal->rotate(rotated)));
    EXPECT_TRUE(is_ok(job->journal->wait_durable(last)));
    EXPECT_EQ(job->journal->pending_bytes(), 0U);
    EXPECT_TRUE(std::filesystem::exists(rotated));
    EXPECT_TRUE(look() == after(count)) << "rotated";
    ASSERT_TRUE(is_ok(fold_rotated(held, false_flag)));
    EXPECT_FALSE(std::filesystem::exists(rotated));
    EXPECT_EQ(ManifestReader::open(path)->identity().generation, ++generation);
    EXPECT_TRUE(look() == after(count)) << "folded";
  }
  ASSERT_TRUE(is_ok(job->journal->close()));
  expect_nothing_lost(count);
}

/// Another run may have taken the job over while this one waited for its disk.
TEST_F(RotationTest, NoRotationRenamesAJournalThatIsSomebodyElses) {
  auto job = open();
  ASSERT_TRUE(is_ok(job));
  ASSERT_TRUE(is_ok(job->journal->append(result_of(1))));
  std::filesystem::rename(journal, path + ".mine");
  test::write_file(journal, "another's");
  const Status done = job->journal->rotate(rotated);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().sys_errno, ESTALE);
  EXPECT_EQ(test::read_file(journal), "another's");
  EXPECT_FALSE(std::filesystem::exists(rotated));
  EXPECT_TRUE(is_ok(job->journal->append(result_of(2)))) << "its own goes on";
  EXPECT_TRUE(is_ok(job->journal->close()));
}

TEST_F(RotationTest, NoFoldGivesItsNameToAManifestThatIsSomebodyElses) {
  {
    auto job = open();
    ASSERT_TRUE(is_ok(job));
    const auto parts = story();
    for (const JournalRecord& record : parts[0]) ASSERT_TRUE(is_ok(job->journal->append(record)));
    ASSERT_TRUE(is_ok(job->journal->rotate(rotated)));
    std::filesystem::remove(path + ".lock");
    const Status folded = fold_rotated(held, false_flag);
    ASSERT_FALSE(folded);
    EXPECT_EQ(folded.error().sys_errno, ESTALE);
  }
  EXPECT_EQ(ManifestReader::open(path)->identity().generation, 1U);
  EXPECT_TRUE(std::filesystem::exists(rotated));
}

/// In parts, as there are many syncs.
constexpr int k_parts = 4;
constexpr int k_slack = 20;
class RotationFault : public RotationTest, public testing::WithParamInterface<int> {
 protected:
  /// Files as they were before anything happened.
  void begin_anew() {
    for (const auto& file : {path, journal, rotated}) std::filesystem::remove(file);
    write_manifest(path, items);
  }
  int count_calls() {
    FaultyDisk disk;
    live(disk, [](std::size_t) {});
    begin_anew();
    return disk.calls;
  }
};

TEST_P(RotationFault, ADeathAtAnyPointLosesNothing) {
  const int calls = count_calls();
  ASSERT_GE(calls, 30);
  auto* const confirmed = static_cast<std::atomic<std::size_t>*>(
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(confirmed, MAP_FAILED);
  for (int n = GetParam(); n < calls; n += k_parts) {
    begin_anew();
    *confirmed = 0;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      FaultyDisk disk;
      disk.fault = [n](FaultyDisk::Call, int call) {
        if (call == n) ::_exit(42);
        return 0;
      };
      live(disk, [confirmed](std::size_t count) { *confirmed = count; });
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    // How much comes into one batch, and with that the number of calls, is not always the same.
    ASSERT_TRUE(WEXITSTATUS(status) == 42 || n + k_slack >= calls) << n;
    expect_nothing_lost(*confirmed);
    if (HasFailure()) {
      FAIL() << "death before call " << n << " of " << calls;
    }
  }
  ::munmap(confirmed, 4096);
}

/// The run after one that died before its rotated journal was folded dies, too.
TEST_P(RotationFault, ADeathInTheNextRunLosesNothing) {
  const auto parts = story();
  for (const bool is_empty : {false, true}) {
    begin_anew();
    {
      auto job = open();
      ASSERT_TRUE(is_ok(job));
      for (const JournalRecord& record : parts[0]) ASSERT_TRUE(is_ok(job->journal->append(record)));
      ASSERT_TRUE(is_ok(job->journal->rotate(rotated)));
      for (const JournalRecord& record : parts[1]) ASSERT_TRUE(is_ok(job->journal->append(record)));
      ASSERT_TRUE(is_ok(job->journal->close()));
    }
    // Without what is on the way where the death came just after the names were given.
    if (is_empty) std::filesystem::resize_file(journal, 64);
    const std::size_t confirmed = parts[0].size() + (is_empty ? 0 : parts[1].size());
    std::map<std::string, std::string> files;
    for (const auto& file : {path, journal, rotated}) files[file] = test::read_file(file);
    bool is_over = false;
    for (int n = GetParam(); !is_over; n += k_parts) {
      for (const auto& [file, content] : files) test::write_file(file, content);
      const pid_t child = ::fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        FaultyDisk disk;
        disk.fault = [n](FaultyDisk::Call, int call) {
          if (call == n) ::_exit(42);
          return 0;
        };
        if (n % 3 != 0) std::ignore = open(disk);  // and closes it
        if (n % 3 == 1) std::ignore = fold_rotated(held, false_flag, disk);
        std::ignore = fold(held, disk);
        ::_exit(0);
      }
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFEXITED(status));
      is_over = WEXITSTATUS(status) != 42;
      expect_nothing_lost(confirmed, false);
      if (HasFailure()) {
        FAIL() << "death before call " << n << (is_empty ? ", empty" : "");
      }
    }
  }
}

TEST_P(RotationFault, AFailureAtAnyPointLosesNothing) {
  const int calls = count_calls();
  for (int n = GetParam(); n < calls; n += k_parts) {
    begin_anew();
    FaultyDisk disk;
    disk.fault = [n](FaultyDisk::Call, int i) { return i == n ? ENOSPC : 0; };
    std::size_t confirmed = 0;
    live(disk, [&confirmed](std::size_t count) { confirmed = count; });
    expect_nothing_lost(confirmed);
    if (HasFailure()) {
      FAIL() << "failure of call " << n << " of " << calls;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, RotationFault, testing::Range(0, k_parts));

}  // namespace
}  // namespace lhsm::store
