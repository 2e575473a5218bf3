// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "lhsmtool_mpi/store/job_files.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::store {

template <class T>
testing::AssertionResult is_ok(const Outcome<T>& outcome) {
  if (outcome) return testing::AssertionSuccess();
  return testing::AssertionFailure() << outcome.error().describe();
}

inline const ManifestAttributes k_attributes{"lhsmtool_mpi 0.1", "scratch", "/mnt/scratch", "/archive/\xff",
                                             1'700'000'000'000'000'000};

/// Anything that the types can hold.
class RandomItems {
 public:
  explicit RandomItems(std::uint64_t seed) : m_random(seed) {}

  std::uint64_t number() { return m_random(); }
  std::uint64_t below(std::uint64_t end) { return m_random() % end; }
  std::uint32_t narrow() { return static_cast<std::uint32_t>(m_random()); }
  std::int64_t time() { return static_cast<std::int64_t>(m_random()); }

  std::string path() {
    if (below(16) == 0) return std::string(4096, 'x') + "\n\xff\x80";
    std::string path;
    for (auto length = below(90); length > 0; --length) path += static_cast<char>(1 + below(255));
    return path;
  }

  ItemOutcome outcome() {
    ItemOutcome outcome;
    outcome.result = static_cast<ItemResult>(below(k_item_results));
    outcome.has_digest = below(2) == 0;
    if (outcome.has_digest)
      for (auto& byte : outcome.digest) byte = static_cast<std::uint8_t>(below(256));
    outcome.sys_errno = static_cast<std::int32_t>(narrow());
    outcome.attempts = narrow();
    outcome.rank = static_cast<std::int32_t>(narrow());
    outcome.seconds = static_cast<float>(below(1'000'000)) / 7;
    outcome.bytes_copied = number();
    outcome.first_start_ns = time();
    outcome.last_start_ns = time();
    outcome.end_ns = time();
    return outcome;
  }

  Item item() {
    Item item;
    item.fid = {number(), narrow(), narrow()};
    item.path = path();
    item.size = number();
    item.blocks = number();
    item.uid = narrow();
    item.gid = narrow();
    item.projid = narrow();
    item.mtime_ns = time();
    item.archive_id = narrow();
    item.stripe_size = number();
    item.stripe_count = narrow();
    item.hsm_state = narrow();
    item.mdt_index = narrow();
    item.links = narrow();
    item.volume = narrow();
    item.position = number();
    item.action = static_cast<ItemAction>(below(k_item_actions));
    item.outcome = outcome();
    return item;
  }

  std::vector<Item> items(std::size_t count) {
    std::vector<Item> items;
    for (std::size_t i = 0; i < count; ++i) items.push_back(item());
    return items;
  }

 private:
  std::mt19937_64 m_random;
};

inline RunRecord sample_run(std::int64_t begin) {
  RunRecord run{"alice", "lhsmtool_mpi restore --manifest \"a b\"", "n1,n2", 64, begin, begin + 5, 3, {}};
  run.totals.results = {1, 2, 3, 4, 5, 6, 1ULL << 60U};
  run.totals.bytes_copied = 1ULL << 63U;
  return run;
}

inline ExtentRecord extent_of(std::uint64_t row, Extent extent, std::uint64_t version, std::string object = "v",
                              std::string leaves = "leaves") {
  ExtentRecord record;
  record.row = row;
  record.extent = extent;
  record.version.data_version = version;
  record.version.object = std::move(object);
  record.leaves = std::move(leaves);
  return record;
}

/// A disk on which the calls can be failed. Count 0 is the first call of that kind.
class FaultyDisk : public Disk {
 public:
  enum class Call { write, sync, truncate, rename, remove, sync_directory };
  /// Asked before each call with how many calls there were before it, of any kind. Returns an errno, or 0.
  std::function<int(Call, int)> fault = [](Call, int) { return 0; };
  std::atomic<int> calls = 0;

  Status write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset, const std::string& path) override {
    if (const int error = ask(Call::write)) {
      // As a full disk does it: some of it is there.
      EXPECT_TRUE(is_ok(Disk::write_at(fd, bytes.first(bytes.size() / 2), offset, path)));
      return errno_error("write", path, error);
    }
    return Disk::write_at(fd, bytes, offset, path);
  }
  Status sync_data(int fd, const std::string& path) override {
    if (const int error = ask(Call::sync)) return errno_error("fdatasync", path, error);
    return Disk::sync_data(fd, path);
  }
  Status sync(int fd, const std::string& path) override {
    if (const int error = ask(Call::sync)) return errno_error("fsync", path, error);
    return Disk::sync(fd, path);
  }
  Status truncate(int fd, std::uint64_t size, const std::string& path) override {
    if (const int error = ask(Call::truncate)) return errno_error("truncate", path, error);
    return Disk::truncate(fd, size, path);
  }
  Status rename(const std::string& from, const std::string& to) override {
    if (const int error = ask(Call::rename)) return errno_error("rename to", to, error);
    return Disk::rename(from, to);
  }
  Status remove(const std::string& path) override {
    if (const int error = ask(Call::remove)) return errno_error("remove", path, error);
    return Disk::remove(path);
  }
  Status sync_directory_of(const std::string& path) override {
    if (const int error = ask(Call::sync_directory)) return errno_error("fsync", path, error);
    return Disk::sync_directory_of(path);
  }

 private:
  int ask(Call call) { return fault(call, calls++); }
};

inline void write_manifest(const std::string& path, const std::vector<Item>& items,
                           ManifestIdentity identity = ManifestIdentity::make()) {
  auto writer = ManifestWriter::create(path, k_attributes, identity, ManifestWriter::Replace::yes);
  ASSERT_TRUE(is_ok(writer));
  for (const Item& item : items) ASSERT_TRUE(is_ok(writer->append(item)));
  ASSERT_TRUE(is_ok(writer->finish()));
}

inline std::vector<Item> read_items(ManifestReader& reader) {
  std::vector<Item> items;
  ItemSlice slice;
  for (std::uint64_t first = 0; first < reader.item_count(); first += k_slice_rows) {
    const auto count = std::min<std::uint64_t>(k_slice_rows, reader.item_count() - first);
    const Status read = reader.read(first, count, Columns::all(), slice);
    EXPECT_TRUE(is_ok(read));
    if (!read) return items;
    for (std::size_t i = 0; i < count; ++i) items.push_back(slice.item(i));
  }
  return items;
}

/// A manifest of some pending items in a directory of its own, and its lock.
class JobTest : public testing::Test {
 protected:
  void make_job(std::size_t count) {
    items = RandomItems(1).items(count);
    for (Item& item : items) item.outcome = {};
    write_manifest(path, items);
  }
  [[nodiscard]] JobLock lock() const {
    auto lock = JobLock::acquire(path);
    EXPECT_TRUE(is_ok(lock));
    return std::move(*lock);
  }
  [[nodiscard]] Outcome<OpenedJob> open(Disk& disk = Disk::real()) const {
    return open_job(
        held, [] {}, disk);
  }

  test::TempDir dir;
  std::string path = dir / "job.h5";
  std::string journal = path + ".journal";
  std::vector<Item> items;
  JobLock held = lock();
};

}  // namespace lhsm::store
