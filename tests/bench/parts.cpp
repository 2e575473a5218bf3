// SPDX-License-Identifier: LGPL-2.1-or-later
//
// bench_parts: what the parts cost by themselves, without files and without MPI. Options are Google
// Benchmark's (--help). Whole runs are measured by scripts/bench.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/comm/codec.hpp"
#include "lhsmtool_mpi/copy/digest.hpp"
#include "lhsmtool_mpi/copy/engine.hpp"
#include "lhsmtool_mpi/plan/scheduler.hpp"

namespace {

using namespace lhsm;

constexpr std::uint64_t k_chunk = k_MiB;

std::vector<std::byte> noise(std::size_t size) {
  std::mt19937_64 random(1);
  std::vector<std::byte> bytes(size);
  std::generate(bytes.begin(), bytes.end(), [&random] { return static_cast<std::byte>(random() | 1U); });
  return bytes;
}

/// One chunk, over and over.
class MemorySource final : public copy::ByteSource {
 public:
  explicit MemorySource(std::uint64_t size) : m_size(size) {}
  [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) override {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), m_size - offset));
    for (std::size_t done = 0; done < length; done += k_chunk)
      std::memcpy(out.data() + done, m_chunk.data(), std::min<std::size_t>(k_chunk, length - done));
    return length;
  }
  [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent range) override { return range; }

 private:
  std::uint64_t m_size;
  std::vector<std::byte> m_chunk = noise(k_chunk);
};

class MemorySink final : public copy::ByteSink {
 public:
  [[nodiscard]] Status write_at(std::span<const std::byte> bytes, std::uint64_t) override {
    for (std::size_t done = 0; done < bytes.size(); done += k_chunk)
      std::memcpy(m_chunk.data(), bytes.data() + done, std::min<std::size_t>(k_chunk, bytes.size() - done));
    return {};
  }
  [[nodiscard]] Status sync() override { return {}; }

 private:
  std::vector<std::byte> m_chunk = std::vector<std::byte>(k_chunk);
};

void count_bytes(benchmark::State& state, std::uint64_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes));
}

/// What every copied byte costs beside its copy; range(0) is the file's size.
void digest(benchmark::State& state) {
  const auto size = static_cast<std::uint64_t>(state.range(0));
  const auto bytes = noise(static_cast<std::size_t>(size));
  for (auto _ : state) {
    copy::LeafDigester digester({0, size}, size);
    digester.add(bytes, 0);
    copy::DigestCollector collector(size);
    if (!collector.add({0, size}, digester.finish())) state.SkipWithError("the leaves do not fit");
    benchmark::DoNotOptimize(collector.digest());
  }
  count_bytes(state, size);
}
BENCHMARK(digest)->Arg(4 * k_KiB)->Arg(k_MiB)->Arg(16 * k_MiB);

/// The engine between two places in memory; range(0) is the file's size. From two buffers on a thread writes.
void engine(benchmark::State& state) {
  const auto size = static_cast<std::uint64_t>(state.range(0));
  MemorySource source(size);
  MemorySink sink;
  copy::Engine engine(k_chunk);
  for (auto _ : state)
    if (!engine.copy(source, sink, {0, size}, {})) state.SkipWithError("copy failed");
  count_bytes(state, size);
}
BENCHMARK(engine)->Arg(4 * k_KiB)->Arg(k_MiB)->Arg(64 * k_MiB)->UseRealTime();

ActionItem item(std::uint64_t number) {
  ActionItem item;
  item.kind = ActionKind::restore;
  item.fid = item.dfid = {0x200000400 + number / 100'000, static_cast<std::uint32_t>(number % 100'000 + 1), 0};
  item.cookie = number + 1;
  item.archive_id = 1;
  item.mdt_index = 0;
  return item;
}

/// A batch of range(0) jobs there, and its results back.
void codec(benchmark::State& state) {
  comm::Jobs jobs;
  comm::Results results;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(state.range(0)); ++i) {
    jobs.jobs.push_back({i, 0, item(i)});
    results.results.emplace_back().id = i;
  }
  for (auto _ : state)
    for (const comm::Message& message : {comm::Message(jobs), comm::Message(results)})
      if (!comm::decode(comm::encode(message))) state.SkipWithError("not decoded");
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(codec)->Arg(1)->Arg(64);

/// range(0) restores through the scheduler alone, on four workers.
void scheduler(benchmark::State& state) {
  const auto items = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    plan::Scheduler scheduler({});
    for (const WorkerId worker : {0, 1, 2, 3})
      if (!scheduler.add_worker(worker, 4, "host")) state.SkipWithError("worker not taken");
    for (std::uint64_t i = 0; i < items; ++i)
      if (!scheduler.add(item(i))) state.SkipWithError("item not taken");
    while (const auto command = scheduler.next())
      if (const auto* give = std::get_if<plan::GiveJobs>(&*command))
        for (const JobId job : give->jobs) scheduler.ended(give->worker, job, std::chrono::microseconds(100));
    if (!scheduler.idle()) state.SkipWithError("items are left");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(scheduler)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
