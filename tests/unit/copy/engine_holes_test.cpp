// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Holes stay holes, and cost little.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/copy/engine.hpp"
#include "lhsmtool_mpi/copy/fd_bytes.hpp"
#include "support/memory_bytes.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::copy {
namespace {

using test::MemorySink;
using test::MemorySource;
using test::pattern;

constexpr std::size_t k_buffer = 64 * 1024;
constexpr std::size_t k_block = 4096;

struct Copied {
  CopyResult result;
  MemorySink sink;
  std::vector<Extent> told;
};

/// Copy all of `source` and check content and order of what is told.
Copied copy_all(MemorySource& source, std::size_t buffer = k_buffer) {
  Copied copied;
  Engine engine(buffer);
  const std::size_t size = source.bytes().size();
  const auto result = engine.copy(source, copied.sink, {0, size}, {.on_done = [&](Extent piece) -> Status {
                                    EXPECT_EQ(piece.offset, copied.told.empty() ? 0 : copied.told.back().end());
                                    copied.told.push_back(piece);
                                    return {};
                                  }});
  EXPECT_TRUE(result.has_value());
  if (result) copied.result = *result;
  EXPECT_EQ(copied.told.empty() ? 0 : copied.told.back().end(), size);
  copied.sink.bytes.resize(size, '\0');
  EXPECT_TRUE(copied.sink.bytes == source.bytes());
  return copied;
}

TEST(EngineHoles, only_a_hole) {
  for (const std::size_t size : {std::size_t{1}, k_buffer, 100 * k_buffer + 1}) {
    MemorySource source(size, {});
    const Copied copied = copy_all(source);
    EXPECT_EQ(copied.result.bytes_moved, 0U);
    EXPECT_TRUE(copied.sink.writes.empty());
  }
}

TEST(EngineHoles, large_holes_are_not_read) {
  MemorySource source(100 * k_buffer, {{10 * k_buffer, k_buffer}, {90 * k_buffer, 3 * k_buffer}});
  const Copied copied = copy_all(source);
  EXPECT_EQ(copied.result.bytes_moved, 4 * k_buffer);
  std::uint64_t read = 0;
  for (const Extent& extent : source.reads) read += extent.length;
  EXPECT_EQ(read, 4 * k_buffer);
  EXPECT_EQ(copied.told.front(), (Extent{0, 10 * k_buffer}));
  EXPECT_EQ(copied.told.back(), (Extent{93 * k_buffer, 7 * k_buffer}));
}

TEST(EngineHoles, small_file_with_holes) {
  MemorySource source(8 * k_block, {{k_block, k_block}, {5 * k_block, k_block}});
  const Copied copied = copy_all(source);
  EXPECT_EQ(copied.result.bytes_moved, 2 * k_block);
  EXPECT_EQ(copied.sink.writes, (std::vector<Extent>{{k_block, k_block}, {5 * k_block, k_block}}));
  EXPECT_EQ(source.reads.size(), 1U);
  EXPECT_EQ(source.questions, 1);
}

TEST(EngineHoles, small_file_that_ends_in_part_of_a_block_of_hole) {
  MemorySource source(k_block + 100, {{0, k_block}});
  EXPECT_EQ(copy_all(source).result.bytes_moved, k_block);
}

TEST(EngineHoles, zeros_of_a_file_without_holes_are_data) {
  for (const std::size_t size : {4 * k_block, 5 * k_buffer}) {
    MemorySource source(std::string(size, '\0'));
    const Copied copied = copy_all(source);
    EXPECT_EQ(copied.result.bytes_moved, size);
    EXPECT_EQ(source.questions, 1);
  }
}

std::vector<Extent> every(std::size_t step, std::size_t length, std::size_t size) {
  std::vector<Extent> extents;
  for (std::size_t at = step - length; at + length <= size; at += step) extents.push_back({at, length});
  return extents;
}

TEST(EngineHoles, many_close_segments_are_not_asked_for_one_by_one) {
  constexpr std::size_t k_size = 16 * 1024 * 1024;
  MemorySource source(k_size, every(2 * k_block, k_block, k_size));
  const Copied copied = copy_all(source, 1024 * 1024);
  EXPECT_EQ(copied.result.bytes_moved, k_size / 2) << "holes stay holes";
  EXPECT_LT(source.questions, 10);
  EXPECT_LT(source.reads.size(), 30U);
}

TEST(EngineHoles, many_distant_segments_are_not_searched_by_reading) {
  constexpr std::size_t k_size = 64 * 1024 * 1024;
  constexpr std::size_t k_step = 1024 * 1024;
  MemorySource source(k_size, every(k_step, k_block, k_size));
  const Copied copied = copy_all(source, 1024 * 1024);
  EXPECT_EQ(copied.result.bytes_moved, k_size / k_step * k_block);
  std::uint64_t read = 0;
  for (const Extent& extent : source.reads) read += extent.length;
  EXPECT_EQ(read, k_size / k_step * k_block);
}

TEST(EngineHoles, close_segments_then_a_long_hole_then_long_data) {
  constexpr std::size_t k_MiB_ = 1024 * 1024;
  std::vector<Extent> data = every(2 * k_block, k_block, 4 * k_MiB_);
  data.push_back({40 * k_MiB_, 5 * k_MiB_});
  MemorySource source(50 * k_MiB_ + 3, data);
  const Copied copied = copy_all(source, 1024 * 1024);
  EXPECT_EQ(copied.result.bytes_moved, 7 * k_MiB_);
  std::uint64_t read = 0;
  for (const Extent& extent : source.reads) read += extent.length;
  EXPECT_LT(read, 12 * k_MiB_);
}

TEST(EngineHoles, extents_of_any_shape) {
  unsigned state = 4711;
  const auto random = [&](std::size_t below) {
    state = state * 1664525U + 1013904223U;
    return static_cast<std::size_t>(state >> 8U) % below;
  };
  for (int round = 0; round < 60; ++round) {
    std::vector<Extent> data;
    std::size_t end = 0;
    const std::size_t scale = std::size_t{1} << random(7);
    for (std::size_t i = random(60); i > 0; --i) {
      const std::size_t begin = end + k_block * random(scale);
      end = begin + k_block * (1 + random(scale));
      data.push_back({begin, end - begin});
    }
    MemorySource source(end + random(3 * k_block), data);
    const Copied copied = copy_all(source, k_block * (1 + random(32)));
    EXPECT_LE(copied.result.bytes_moved, source.bytes().size());
    ASSERT_FALSE(::testing::Test::HasFailure()) << "round " << round;
  }
}

/// Copies one real sparse file to another, both ways of the data.
TEST(EngineHoles, real_sparse_file_stays_sparse) {
  const test::TempDir dir;
  const std::string from = dir / "from";
  const std::string to = dir / "to";
  constexpr off_t k_size = 64 * 1024 * 1024 + 77;
  Fd in(::open(from.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  Fd out(::open(to.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(in && out);
  ASSERT_EQ(::ftruncate(*in, k_size), 0);
  const std::string data = pattern(100000);
  for (const off_t at : {off_t{0}, off_t{20'000'003}, off_t{60 * 1024 * 1024}})
    ASSERT_EQ(::pwrite(*in, data.data(), data.size(), at), static_cast<ssize_t>(data.size()));
  ASSERT_EQ(::ftruncate(*out, k_size), 0);

  FdSource source(*in, from);
  FdSink sink(*out, to);
  Engine engine(k_buffer);
  const auto result = engine.copy(source, sink, {0, static_cast<std::uint64_t>(k_size)}, {});
  ASSERT_TRUE(result) << result.error().describe();
  EXPECT_LT(result->bytes_moved, 3U * 200'000U);
  EXPECT_TRUE(test::read_file(from) == test::read_file(to));
  EXPECT_LT(test::stat_of(to).st_blocks * 512, 1024 * 1024);
}

}  // namespace
}  // namespace lhsm::copy
