// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Figures of manifest and journal: items written and read a second, bytes on disk for each, the most memory of the
// process, results made durable a second, how long a resume takes. Called by scripts/bench. Usage: bench_manifest DIR
// ITEMS
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "lhsmtool_mpi/store/job_files.hpp"

namespace lhsm::store {
namespace {

template <class T>
T must(Outcome<T> outcome) {
  if (!outcome) throw Fatal(outcome.error());
  return std::move(*outcome);
}
void must(const Status& status) {
  if (!status) throw Fatal(status.error());
}

std::uint64_t peak_MiB() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) / 1024;
}

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_begin).count();
  }

 private:
  std::chrono::steady_clock::time_point m_begin = std::chrono::steady_clock::now();
};

ItemOutcome outcome_of(std::uint64_t row, std::mt19937_64& random) {
  ItemOutcome outcome;
  outcome.result = row % 1000 == 0 ? ItemResult::failed : ItemResult::done;
  outcome.sys_errno = row % 1000 == 0 ? 5 : 0;
  outcome.attempts = 1;
  outcome.rank = static_cast<std::int32_t>(random() % 64);
  outcome.seconds = static_cast<float>(random() % 100'000) / 1e4F;
  outcome.bytes_copied = random() % (1U << 26U);
  outcome.first_start_ns = 1'790'000'000'000'000'000 + static_cast<std::int64_t>(row * 50'000 + random() % 10'000'000);
  outcome.last_start_ns = outcome.first_start_ns;
  outcome.end_ns = outcome.first_start_ns + static_cast<std::int64_t>(outcome.seconds * 1e9F);
  outcome.has_digest = true;
  for (auto& byte : outcome.digest) byte = static_cast<std::uint8_t>(random());
  return outcome;
}

/// As a tree of a site has them: 50 files in a directory, paths of about 60 bytes.
Item item_of(std::uint64_t row, std::mt19937_64& random) {
  Item item;
  item.fid = {0x200000400 + row / 100'000, static_cast<std::uint32_t>(row % 100'000 + 1), 0};
  const std::uint64_t directory = row / 50;
  item.path = fmt::format("project{:03}/user{:04}/campaign-{:06}/output/member{:02}_{:08x}.nc", directory % 97,
                          directory % 1013, directory, row % 50, random() & 0xffffffffU);
  item.size = random() % (1U << 26U);
  item.blocks = 0;
  item.uid = static_cast<std::uint32_t>(10'000 + directory % 1013);
  item.gid = static_cast<std::uint32_t>(500 + directory % 97);
  item.projid = item.gid;
  item.mtime_ns = 1'600'000'000'000'000'000 + static_cast<std::int64_t>(random() % 100'000'000'000'000'000);
  item.archive_id = 1;
  item.stripe_size = 1 << 20;
  item.stripe_count = random() % 20 == 0 ? 8 : 1;
  item.hsm_state = 0xd;
  item.mdt_index = static_cast<std::uint32_t>(directory % 4);
  item.volume = static_cast<std::uint32_t>(directory % 500);
  item.position = random() % 1'000'000;
  item.action = ItemAction::restore;
  item.outcome = outcome_of(row, random);
  return item;
}

void write(const std::string& path, std::uint64_t items) {
  std::mt19937_64 random(1);
  std::vector<Item> slice;
  double making = 0;
  const Stopwatch watch;
  auto writer = must(ManifestWriter::create(path, {"bench", "scratch", "/mnt/scratch", "/archive", 0},
                                            ManifestIdentity::make(), ManifestWriter::Replace::yes));
  for (std::uint64_t row = 0; row < items;) {
    const Stopwatch made;
    slice.clear();
    for (; row < items && slice.size() < k_slice_rows; ++row) slice.push_back(item_of(row, random));
    making += made.seconds();
    for (const Item& item : slice) must(writer.append(item));
  }
  must(writer.finish());
  const double seconds = watch.seconds() - making;
  fmt::print("written     {:6.1f} s  {:9.0f} items/s  {:5.1f} bytes/item on disk  {} MiB most memory\n", seconds,
             static_cast<double>(items) / seconds,
             static_cast<double>(std::filesystem::file_size(path)) / static_cast<double>(items), peak_MiB());
}

void read(const std::string& path) {
  const Stopwatch watch;
  auto reader = must(ManifestReader::open(path));
  const double opened = watch.seconds();
  ItemSlice slice;
  for (std::uint64_t first = 0; first < reader.item_count(); first += k_slice_rows)
    must(reader.read(first, std::min<std::uint64_t>(k_slice_rows, reader.item_count() - first), Columns::all(), slice));
  fmt::print("read        {:6.1f} s, {:.1f} s of it to verify and open\n", watch.seconds(), opened);
}

/// All results of the job, from four threads, each waiting for what it appended 1000 records ago.
void journal(const JobLock& lock, std::uint64_t items) {
  auto job = must(open_job(lock, [] {}));
  constexpr std::uint64_t k_threads = 4;
  const Stopwatch watch;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < k_threads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      std::uint64_t last = 0;
      for (std::uint64_t row = t; row < items; row += k_threads) {
        ItemResultRecord record{row, outcome_of(row, random), 0xdU};
        last = must(job.journal->append(record));
        if (row / k_threads % 1000 == 999 && last > 1000) must(job.journal->wait_durable(last - 1000));
      }
      must(job.journal->wait_durable(last));
    });
  }
  for (auto& thread : threads) thread.join();
  const double seconds = watch.seconds();
  must(job.journal->close());
  fmt::print(
      "journal     {:6.1f} s  {:9.0f} results/s durable  {:5.1f} bytes/result\n", seconds,
      static_cast<double>(items) / seconds,
      static_cast<double>(std::filesystem::file_size(journal_path(lock.manifest_path()))) / static_cast<double>(items));
}

void resume(const JobLock& lock) {
  const Stopwatch watch;
  auto job = must(open_job(lock, [] {}));
  ItemSlice slice;
  const auto first = std::min<std::uint64_t>(k_slice_rows, job.manifest.item_count());
  must(job.manifest.read(0, first, Columns::all(), slice));
  must(job.state.overlay(0, slice));
  fmt::print("resume      {:6.1f} s to the first items, {} records replayed\n", watch.seconds(),
             job.state.record_count());
  must(job.journal->close());
}

void fold_all(const JobLock& lock) {
  const Stopwatch watch;
  must(fold(lock));
  fmt::print("fold        {:6.1f} s  {} MiB most memory\n", watch.seconds(), peak_MiB());
}

int run(const std::string& directory, std::uint64_t items) {
  const std::string path = directory + "/job.h5";
  write(path, items);
  read(path);
  const JobLock lock = must(JobLock::acquire(path));
  journal(lock, items);
  resume(lock);
  fold_all(lock);
  return 0;
}

}  // namespace
}  // namespace lhsm::store

int main(int argc, char** argv) try {
  if (argc != 3) {
    fmt::print(stderr, "Usage: bench_manifest DIR ITEMS\n");
    return 2;
  }
  return lhsm::store::run(argv[1], std::stoull(argv[2]));
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_manifest: {}\n", error.what());
  return 1;
}
