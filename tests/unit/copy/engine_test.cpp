// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/copy/engine.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "support/faulty_bytes.hpp"
#include "support/memory_bytes.hpp"

namespace lhsm::copy {
namespace {

using test::FaultySink;
using test::FaultySource;
using test::MemorySink;
using test::MemorySource;
using test::pattern;

constexpr std::size_t k_buffer = 64 * 1024;

/// Collects what on_done is told, and holds it against the contract: ascending and adjacent.
struct Told {
  std::vector<Extent> pieces;
  CopyControl control(const std::atomic<bool>* stop = nullptr) {
    return {.stop = stop, .on_done = [this, thread = std::this_thread::get_id()](Extent piece) -> Status {
              EXPECT_EQ(std::this_thread::get_id(), thread);
              EXPECT_GT(piece.length, 0U);
              if (!pieces.empty()) {
                EXPECT_EQ(piece.offset, pieces.back().end());
              }
              pieces.push_back(piece);
              return {};
            }};
  }
  void expect_all(Extent range) const {
    ASSERT_FALSE(pieces.empty());
    EXPECT_EQ(pieces.front().offset, range.offset);
    EXPECT_EQ(pieces.back().end(), range.end());
  }
};

class EngineSizes : public ::testing::TestWithParam<std::size_t> {};

TEST_P(EngineSizes, copy_is_exact) {
  MemorySource source(pattern(GetParam()));
  MemorySink sink;
  Told told;
  Engine engine(k_buffer);
  const auto result = engine.copy(source, sink, {0, GetParam()}, told.control());
  ASSERT_TRUE(result.has_value()) << result.error().describe();
  EXPECT_EQ(result->bytes_moved, GetParam());
  EXPECT_EQ(sink.bytes, source.bytes());
  if (GetParam() != 0) told.expect_all({0, GetParam()});
}

INSTANTIATE_TEST_SUITE_P(OddAndEven, EngineSizes,
                         ::testing::Values(0, 1, 2, 511, 4095, 4096, 4097, k_buffer - 1, k_buffer, k_buffer + 1,
                                           2 * k_buffer, 2 * k_buffer + 1, 3 * k_buffer - 1, 10 * k_buffer + 12345));

TEST(Engine, copy_of_nothing_touches_nothing) {
  MemorySource source(pattern(10));
  MemorySink sink;
  Told told;
  Engine engine(k_buffer);
  EXPECT_TRUE(engine.copy(source, sink, {5, 0}, told.control()));
  EXPECT_TRUE(source.reads.empty());
  EXPECT_EQ(source.questions, 0);
  EXPECT_TRUE(sink.writes.empty());
  EXPECT_TRUE(told.pieces.empty());
}

TEST(Engine, copy_of_a_small_file_is_one_read_and_one_write) {
  MemorySource source(pattern(4096));
  MemorySink sink;
  Engine engine(k_buffer);
  ASSERT_TRUE(engine.copy(source, sink, {0, 4096}, {}));
  EXPECT_EQ(source.reads.size(), 1U);
  EXPECT_EQ(source.questions, 0);
  EXPECT_EQ(sink.writes.size(), 1U);
  EXPECT_TRUE(sink.writebacks.empty());
}

TEST(Engine, copy_takes_an_extent_out_of_the_middle) {
  for (const Extent range : {Extent{100, 50}, Extent{4096, 3 * k_buffer}, Extent{5000, 4 * k_buffer + 17}}) {
    MemorySource source(pattern(8 * k_buffer));
    MemorySink sink;
    Told told;
    Engine engine(k_buffer);
    ASSERT_TRUE(engine.copy(source, sink, range, told.control()));
    EXPECT_EQ(sink.bytes.substr(range.offset), source.bytes().substr(range.offset, range.length));
    EXPECT_EQ(sink.bytes.find_first_not_of('\0'), range.offset) << "nothing before the extent is written";
    told.expect_all(range);
  }
}

TEST(Engine, copy_of_an_odd_begin_goes_on_aligned) {
  MemorySource source(pattern(8 * k_buffer));
  MemorySink sink;
  Engine engine(k_buffer);
  ASSERT_TRUE(engine.copy(source, sink, {5000, 4 * k_buffer}, {}));
  for (std::size_t i = 1; i < source.reads.size(); ++i) EXPECT_EQ(source.reads[i].offset % 4096, 0U);
}

TEST(Engine, reads_ascend_and_take_each_byte_once) {
  MemorySource source(9 * k_buffer, {{0, 10}, {k_buffer, 2 * k_buffer}, {8 * k_buffer, 100}});
  MemorySink sink;
  Engine engine(k_buffer);
  ASSERT_TRUE(engine.copy(source, sink, {0, 9 * k_buffer}, {}));
  for (std::size_t i = 1; i < source.reads.size(); ++i) EXPECT_GE(source.reads[i].offset, source.reads[i - 1].end());
}

TEST(Engine, buffer_is_rounded_up_to_4_KiB) {
  MemorySource source(pattern(3 * 4096));
  MemorySink sink;
  Engine engine(1);
  ASSERT_TRUE(engine.copy(source, sink, {0, 3 * 4096}, {}));
  EXPECT_EQ(sink.bytes, source.bytes());
  EXPECT_EQ(source.reads.size(), 3U);
}

TEST(Engine, extent_beyond_what_a_file_can_have_is_invalid) {
  MemorySource source(pattern(10));
  MemorySink sink;
  Engine engine(k_buffer);
  for (const Extent range :
       {Extent{0, UINT64_MAX}, Extent{UINT64_MAX, 1}, Extent{1, std::numeric_limits<std::int64_t>::max()}}) {
    const auto result = engine.copy(source, sink, range, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::invalid);
  }
}

TEST(Engine, one_engine_serves_many_copies) {
  Engine engine(k_buffer);
  for (unsigned i = 0; i < 200; ++i) {
    MemorySource source(pattern((i * 7919) % (4 * k_buffer) + 1, i));
    MemorySink sink;
    ASSERT_TRUE(engine.copy(source, sink, {0, source.bytes().size()}, {}));
    ASSERT_EQ(sink.bytes, source.bytes()) << i;
  }
}

TEST(Engine, reading_and_writing_overlap) {
  // The second read waits until the first write has begun, and that one until the second read has:
  // only two threads get through.
  MemorySource memory(pattern(4 * k_buffer));
  MemorySink memory_sink;
  FaultySource source(memory);
  FaultySink sink(memory_sink);
  std::atomic<int> reading{0};
  std::atomic<int> writing{0};
  source.before_read = [&](int n) -> Status {
    reading = n;
    reading.notify_all();
    if (n == 2) writing.wait(0);
    return {};
  };
  sink.before_write = [&](int n) -> Status {
    writing = n;
    writing.notify_all();
    if (n == 1) reading.wait(1);
    return {};
  };
  Engine engine(k_buffer);
  ASSERT_TRUE(engine.copy(source, sink, {0, 4 * k_buffer}, {}));
  EXPECT_EQ(memory_sink.bytes, memory.bytes());
}

TEST(Engine, writeback_is_asked_for_in_ascending_ranges_of_some_buffers) {
  constexpr std::size_t k_MiB_ = 1024 * 1024;
  MemorySource source(pattern(40 * k_MiB_));
  MemorySink sink;
  Engine engine(k_MiB_);
  ASSERT_TRUE(engine.copy(source, sink, {0, 40 * k_MiB_}, {}));
  EXPECT_EQ(sink.writebacks.size(), 5U);
  std::uint64_t end = 0;
  for (const Extent& range : sink.writebacks) {
    EXPECT_EQ(range.offset, end);
    end = range.end();
  }
}

TEST(Engine, unused_engine_and_engine_after_a_copy_end_cleanly) {
  { const Engine unused(k_buffer); }
  MemorySource source(pattern(3 * k_buffer));
  MemorySink sink;
  Engine engine(k_buffer);
  EXPECT_TRUE(engine.copy(source, sink, {0, 3 * k_buffer}, {}));
}

}  // namespace
}  // namespace lhsm::copy
