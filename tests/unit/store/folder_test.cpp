// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <filesystem>
#include <thread>

#include "lhsmtool_mpi/store/journal_folder.hpp"
#include "store_fixture.hpp"

namespace lhsm::store {
namespace {

ItemResultRecord done(std::uint64_t row) {
  ItemResultRecord record{row, {}, {}};
  record.outcome.result = ItemResult::done;
  return record;
}

using FolderTest = JobTest;

TEST_F(FolderTest, FoldsAgainAndAgainAndWhoLooksSeesAllThatWasConfirmed) {
  constexpr std::size_t k_many = 20'000;
  make_job(k_many);
  std::atomic<std::uint64_t> confirmed = 0;
  std::atomic<bool> is_over = false;
  auto job = open();
  ASSERT_TRUE(is_ok(job));
  const RequestRecord request{k_many - 1, 7, 8};
  const ExtentRecord extent = extent_of(k_many - 2, {0, 64}, 3);
  ASSERT_TRUE(is_ok(job->journal->append(request)));
  ASSERT_TRUE(is_ok(job->journal->append(extent)));
  ASSERT_TRUE(is_ok(job->journal->wait_durable(2)));
  int looks = 0;
  std::uint64_t folds = 0;
  {
    const JournalFolder folder(held, *job->journal, false, {.at_bytes = 4096, .at_part = 0});
    std::thread reader([&] {
      while (!is_over) {
        const std::uint64_t least = confirmed;
        auto seen = look_at_job(path);
        ASSERT_TRUE(is_ok(seen));
        ItemSlice slice;
        ASSERT_TRUE(is_ok(seen->manifest.read(0, k_many, {Column::result, Column::attempts}, slice)));
        ASSERT_TRUE(is_ok(seen->state.overlay(0, slice)));
        const auto end = std::find(slice.result.begin(), slice.result.end(), ItemResult::pending);
        ASSERT_GE(static_cast<std::uint64_t>(end - slice.result.begin()), least);
        ASSERT_EQ(std::find(end, slice.result.end(), ItemResult::done), slice.result.end()) << "a gap";
        ASSERT_EQ(seen->state.open_requests().size(), 1U);
        ASSERT_EQ(seen->state.partial_files().at(k_many - 2).extents, std::vector{extent});
        ++looks;
      }
    });
    const auto append = [&](const JournalRecord& record, bool waits) {
      const auto sequence = job->journal->append(record);
      EXPECT_TRUE(is_ok(sequence));
      EXPECT_TRUE(!sequence || !waits || is_ok(job->journal->wait_durable(*sequence)));
    };
    for (std::uint64_t row = 0; row < k_many - 2; ++row) {
      const bool waits = row % 50 == 49;
      append(done(row), waits);
      if (waits) confirmed = row + 1;
      if (row % 5'000 != 0) continue;
      for (const std::uint64_t before = folder.folds(); folder.folds() == before;) append(request, true);
    }
    is_over = true;
    reader.join();
    folds = folder.folds();
  }
  EXPECT_GT(folds, 1U);
  EXPECT_GT(looks, 0);
  ASSERT_TRUE(is_ok(job->journal->close()));
  job = failure(ErrorKind::invalid, EINVAL, "closed", "");
  ASSERT_TRUE(is_ok(fold(held)));
  auto reader = ManifestReader::open(path);
  ASSERT_TRUE(is_ok(reader));
  ItemSlice slice;
  ASSERT_TRUE(is_ok(reader->read(0, k_many, {Column::result}, slice)));
  EXPECT_EQ(std::count(slice.result.begin(), slice.result.end(), ItemResult::done), static_cast<std::ptrdiff_t>(k_many - 2));
  EXPECT_EQ(look_at_job(path)->state.open_requests().size(), 1U);
}

/// Has no room for a new manifest, until it is told.
class FullDisk final : public Disk {
 public:
  Status rename(const std::string& from, const std::string& to) override {
    if (!to.ends_with(".h5") || has_room) return Disk::rename(from, to);
    ++refused;
    return errno_error("rename to", to, ENOSPC);
  }
  std::atomic<bool> has_room = false;
  std::atomic<int> refused = 0;
};

TEST_F(FolderTest, WithoutSpaceTheRunGoesOnAndTriesAgainEachTimeThatThereIsTwiceAsMuch) {
  constexpr std::size_t k_many = 4'000;
  make_job(k_many);
  auto job = open();
  ASSERT_TRUE(is_ok(job));
  FullDisk disk;
  std::uint64_t row = 0;
  const auto append = [&] {
    for (int i = 0; i < 10; ++i) {
      const auto sequence = job->journal->append(done(row++ % k_many));
      ASSERT_TRUE(is_ok(sequence));
      ASSERT_TRUE(is_ok(job->journal->wait_durable(*sequence)));
    }
  };
  {
    const JournalFolder folder(held, *job->journal, false, {.at_bytes = 1024, .at_part = 0}, disk);
    while (disk.refused < 3) append();
    const std::uint64_t total = std::filesystem::file_size(rotated_journal_path(path)) + job->journal->file_bytes();
    EXPECT_GE(total, 4 * 1024U) << "twice, and twice again";
    disk.has_room = true;
    while (folder.folds() == 0) append();
    while (folder.folds() < 3) append();
  }
  EXPECT_EQ(disk.refused, 3);
  ASSERT_TRUE(is_ok(job->journal->close()));
  job = failure(ErrorKind::invalid, EINVAL, "closed", "");
  ASSERT_TRUE(is_ok(fold(held)));
  auto reader = ManifestReader::open(path);
  ASSERT_TRUE(is_ok(reader));
  ItemSlice slice;
  ASSERT_TRUE(is_ok(reader->read(0, k_many, {Column::result}, slice)));
  EXPECT_EQ(std::count(slice.result.begin(), slice.result.end(), ItemResult::done),
            static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(row, k_many)));
}

}  // namespace
}  // namespace lhsm::store
