// SPDX-License-Identifier: LGPL-2.1-or-later
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <filesystem>

#include "store_fixture.hpp"

namespace lhsm::store {
namespace {

class ManifestTest : public testing::Test {
 protected:
  test::TempDir dir;
  std::string path = dir / "job.h5";
};

TEST_F(ManifestTest, GivesBackWhatWasWritten) {
  for (const std::size_t count : {std::size_t{1}, std::size_t{1000}, k_slice_rows + 77}) {
    RandomItems random(count);
    const auto items = random.items(count);
    write_manifest(path, items);
    auto reader = ManifestReader::open(path);
    ASSERT_TRUE(is_ok(reader));
    EXPECT_EQ(reader->item_count(), count);
    EXPECT_EQ(reader->attributes(), k_attributes);
    EXPECT_TRUE(read_items(*reader) == items) << count;
  }
}

TEST_F(ManifestTest, ReadsAnySliceAndOnlyTheColumnsAskedFor) {
  RandomItems random(5);
  const auto items = random.items(k_slice_rows + 500);
  write_manifest(path, items);
  auto reader = ManifestReader::open(path);
  ASSERT_TRUE(is_ok(reader));
  ItemSlice slice;
  for (int i = 0; i < 50; ++i) {
    const auto first = random.below(items.size());
    const auto count = std::min<std::uint64_t>(random.below(1000), items.size() - first);
    ASSERT_TRUE(is_ok(reader->read(first, count, {Column::path, Column::fid_seq}, slice)));
    ASSERT_EQ(slice.fid_seq.size(), count);
    EXPECT_TRUE(slice.size.empty());
    for (std::size_t k = 0; k < count; ++k) {
      ASSERT_EQ(slice.path(k), items[first + k].path);
      ASSERT_EQ(slice.fid_seq[k], items[first + k].fid.seq);
    }
  }
}

TEST_F(ManifestTest, WritesWholeSlicesAsTheyAre) {
  std::vector<Item> items(k_slice_rows);
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].path = std::to_string(i);
    items[i].size = i;
  }
  ItemSlice slice;
  for (const Item& item : items) slice.push_back(item);
  auto writer = ManifestWriter::create(path, k_attributes, ManifestIdentity::make(), ManifestWriter::Replace::no);
  ASSERT_TRUE(is_ok(writer));
  ASSERT_TRUE(is_ok(writer->append(slice)));
  ASSERT_TRUE(is_ok(writer->append(items[0])));
  ASSERT_TRUE(is_ok(writer->append(slice)));
  ASSERT_TRUE(is_ok(writer->finish()));
  auto reader = ManifestReader::open(path);
  ASSERT_TRUE(is_ok(reader));
  auto expected = items;
  expected.push_back(items[0]);
  expected.insert(expected.end(), items.begin(), items.end());
  EXPECT_TRUE(read_items(*reader) == expected);
}

TEST_F(ManifestTest, MayBeEmpty) {
  write_manifest(path, {});
  auto reader = ManifestReader::open(path);
  ASSERT_TRUE(is_ok(reader));
  EXPECT_EQ(reader->item_count(), 0U);
  EXPECT_TRUE(reader->runs().empty());
  EXPECT_TRUE(reader->volumes().empty());
  ItemSlice slice;
  EXPECT_TRUE(is_ok(reader->read(0, 0, Columns::all(), slice)));
}

TEST_F(ManifestTest, MayHoldOnlyEmptyPaths) {
  std::vector<Item> items(3);
  write_manifest(path, items);
  auto reader = ManifestReader::open(path);
  ASSERT_TRUE(is_ok(reader));
  EXPECT_TRUE(read_items(*reader) == items);
}

TEST_F(ManifestTest, KeepsVolumesAndRuns) {
  const auto identity = ManifestIdentity::make();
  auto writer = ManifestWriter::create(path, k_attributes, identity, ManifestWriter::Replace::no);
  ASSERT_TRUE(is_ok(writer));
  EXPECT_EQ(writer->volume("A00001L9"), 0U);
  EXPECT_EQ(writer->volume("\xfftape"), 1U);
  EXPECT_EQ(writer->volume("A00001L9"), 0U);
  writer->add_run(sample_run(7));
  writer->add_run(sample_run(-9));
  ASSERT_TRUE(is_ok(writer->finish()));
  auto reader = ManifestReader::open(path);
  ASSERT_TRUE(is_ok(reader));
  EXPECT_EQ(reader->identity(), identity);
  EXPECT_EQ(reader->volumes(), (std::vector<std::string>{"A00001L9", "\xfftape"}));
  EXPECT_EQ(reader->runs(), (std::vector{sample_run(7), sample_run(-9)}));
}

TEST_F(ManifestTest, ReplacesOnlyWhenItMay) {
  write_manifest(path, {});
  auto writer = ManifestWriter::create(path, k_attributes, ManifestIdentity::make(), ManifestWriter::Replace::no);
  ASSERT_TRUE(is_ok(writer));
  ASSERT_TRUE(is_ok(writer->append(Item{})));
  const Status finished = writer->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().sys_errno, EEXIST);
  auto reader = ManifestReader::open(path);
  ASSERT_TRUE(is_ok(reader));
  EXPECT_EQ(reader->item_count(), 0U);
}

TEST_F(ManifestTest, LeavesNothingWhenItIsNotFinished) {
  {
    auto writer = ManifestWriter::create(path, k_attributes, ManifestIdentity::make(), ManifestWriter::Replace::no);
    ASSERT_TRUE(is_ok(writer));
    ASSERT_TRUE(is_ok(writer->append(Item{})));
  }
  EXPECT_TRUE(test::files_below(dir.path()).empty());
}

TEST_F(ManifestTest, TellsForeignFilesFromDamagedAndNewerOnes) {
  const auto kind_of = [&](const std::string& bytes) {
    test::write_file(path, bytes);
    const auto reader = ManifestReader::open(path);
    EXPECT_FALSE(reader);
    return reader ? ErrorKind::internal : reader.error().kind;
  };
  EXPECT_EQ(kind_of(""), ErrorKind::invalid);
  EXPECT_EQ(kind_of("#!/bin/sh\n"), ErrorKind::invalid);
  EXPECT_EQ(kind_of(std::string(1000, '\0')), ErrorKind::invalid);
  EXPECT_EQ(kind_of("\x89HDF\r\n\x1a\n" + std::string(600, '\0')), ErrorKind::invalid);
  std::filesystem::remove(path);
  const auto missing = ManifestReader::open(path);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  write_manifest(path, RandomItems(3).items(10));
  const std::string good = test::read_file(path);
  std::string newer = good;
  newer.replace(newer.find("version 1"), 9, "version 2");
  EXPECT_EQ(kind_of(newer), ErrorKind::unsupported);
  EXPECT_EQ(kind_of(good + "x"), ErrorKind::corrupt);
}

TEST_F(ManifestTest, FindsEveryTruncationAndFlippedBit) {
  write_manifest(path, RandomItems(3).items(10));
  const std::string good = test::read_file(path);
  RandomItems random(9);
  for (int i = 0; i < 300; ++i) {
    std::string bad = good;
    const bool cut = i % 2 == 0;
    if (cut)
      bad.resize(random.below(good.size()));
    else
      bad[random.below(good.size())] ^= static_cast<char>(1U << random.below(8));
    test::write_file(path, bad);
    const auto reader = ManifestReader::open(path);
    ASSERT_FALSE(reader) << i;
    EXPECT_EQ(reader.error().describe().find('\n'), std::string::npos);
  }
}

/// Write a manifest where files may have `limit` bytes. Return 0 when that fails as it should.
int write_on_full_disk(const std::string& path, rlim_t limit) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limits{limit, limit};
  if (::setrlimit(RLIMIT_FSIZE, &limits) != 0) return 10;
  auto writer = ManifestWriter::create(path, k_attributes, ManifestIdentity::make(), ManifestWriter::Replace::no);
  Status status;
  if (writer) {
    RandomItems random(4);
    const Item item = random.item();
    for (std::size_t i = 0; i < 2 * k_slice_rows && status; ++i)
      status = writer->append(i % 16 == 0 ? random.item() : item);
    if (status) status = writer->finish();
  } else {
    status = Failure(writer.error());
  }
  if (status) return 11;
  if (status.error().sys_errno == EFBIG) return 0;  // what a limit of the size gives for ENOSPC
  std::cerr << status.error().describe() << '\n';
  return 12;
}

TEST_F(ManifestTest, TellsThatTheDiskIsFull) {
  write_manifest(path, {});
  const auto least = std::filesystem::file_size(path);
  std::filesystem::remove(path);
  for (const rlim_t limit : {rlim_t{0}, rlim_t{3000}, rlim_t{least - 1}, rlim_t{300'000}}) {
    // In a child, as the limit cannot be taken back by everybody. HDF5 must not hang or die at the exit either.
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) std::exit(write_on_full_disk(path, limit));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status)) << limit << ": " << status;
    EXPECT_EQ(WEXITSTATUS(status), 0) << limit;
    EXPECT_TRUE(test::files_below(dir.path()).empty()) << limit;
  }
}

TEST_F(ManifestTest, IsNotThereWhenItCouldNotBeSynced) {
  FaultyDisk disk;
  disk.fault = [](FaultyDisk::Call call, int) { return call == FaultyDisk::Call::sync ? EIO : 0; };
  {
    auto writer =
        ManifestWriter::create(path, k_attributes, ManifestIdentity::make(), ManifestWriter::Replace::yes, disk);
    ASSERT_TRUE(is_ok(writer));
    const Status finished = writer->finish();
    ASSERT_FALSE(finished);
    EXPECT_EQ(finished.error().sys_errno, EIO);
  }
  EXPECT_TRUE(test::files_below(dir.path()).empty());
}

}  // namespace
}  // namespace lhsm::store
