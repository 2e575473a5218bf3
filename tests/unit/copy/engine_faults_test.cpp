// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How a copy ends when it does not end well.
#include <gtest/gtest.h>

#include <stdexcept>

#include "lhsmtool_mpi/copy/engine.hpp"
#include "support/faulty_bytes.hpp"
#include "support/memory_bytes.hpp"

namespace lhsm::copy {
namespace {

using test::fail_at;
using test::FaultySink;
using test::FaultySource;
using test::MemorySink;
using test::MemorySource;
using test::pattern;

constexpr std::size_t k_buffer = 16 * 1024;

struct EngineFaults : public ::testing::Test {
  static constexpr std::size_t k_size = 8 * k_buffer;
  MemorySource memory{pattern(k_size)};
  MemorySink memory_sink;
  FaultySource source{memory};
  FaultySink sink{memory_sink};
  Engine engine{k_buffer};
  std::vector<Extent> told;

  Outcome<CopyResult> copy(std::size_t length = k_size, const std::atomic<bool>* stop = nullptr) {
    return engine.copy(source, sink, {0, length}, {.stop = stop, .on_done = [this](Extent piece) -> Status {
                                                     told.push_back(piece);
                                                     return {};
                                                   }});
  }

  void expect_works_afterwards() {
    MemorySource whole(pattern(k_size, 77));
    MemorySink target;
    const auto result = engine.copy(whole, target, {0, k_size}, {});
    ASSERT_TRUE(result) << result.error().describe();
    EXPECT_EQ(target.bytes, whole.bytes());
  }
};

TEST_F(EngineFaults, source_error_at_each_read) {
  for (int n = 1; n <= 8; ++n) {
    source.reads = 0;
    source.before_read = fail_at(n, EIO);
    const auto result = copy();
    ASSERT_FALSE(result) << n;
    EXPECT_EQ(result.error(), (Error{ErrorKind::io, EIO, "injected", "fault"}));
    EXPECT_EQ(source.reads, n) << "nothing is read after the error";
    expect_works_afterwards();
  }
}

TEST_F(EngineFaults, source_error_of_a_small_file) {
  source.before_read = fail_at(1, ESTALE);
  const auto result = copy(k_buffer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().sys_errno, ESTALE);
  EXPECT_EQ(sink.writes, 0);
}

TEST_F(EngineFaults, sink_error_at_each_write) {
  for (int n = 1; n <= 8; ++n) {
    sink.writes = source.reads = 0;
    told.clear();
    sink.before_write = fail_at(n, ENOSPC);
    const auto result = copy();
    ASSERT_FALSE(result) << n;
    EXPECT_EQ(result.error().kind, ErrorKind::no_space);
    EXPECT_EQ(sink.writes, n) << "nothing is written after the error";
    EXPECT_LE(source.reads, n + 2) << "reading ends promptly";
    EXPECT_LT(told.size(), static_cast<std::size_t>(n)) << "only what was written is told";
    expect_works_afterwards();
  }
}

TEST_F(EngineFaults, sink_error_of_a_small_file) {
  sink.before_write = fail_at(1, EDQUOT);
  const auto result = copy(k_buffer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().sys_errno, EDQUOT);
  EXPECT_TRUE(told.empty());
}

TEST_F(EngineFaults, error_of_next_data) {
  source.before_next_data = fail_at(1, EIO);
  EXPECT_EQ(copy().error().sys_errno, EIO);
  expect_works_afterwards();
}

TEST_F(EngineFaults, source_that_throws_leaves_the_sink_alone) {
  source.before_read = [](int n) -> Status {
    if (n == 3) throw std::runtime_error("thrown");
    return {};
  };
  EXPECT_THROW(std::ignore = copy(), std::runtime_error);
  const int writes = sink.writes;
  expect_works_afterwards();
  EXPECT_EQ(sink.writes, writes);
}

TEST_F(EngineFaults, sink_that_throws_is_an_error) {
  sink.before_write = [](int n) -> Status {
    if (n == 2) throw std::runtime_error("thrown");
    return {};
  };
  const auto result = copy();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::internal);
  EXPECT_EQ(result.error().subject, "thrown");
  expect_works_afterwards();
}

TEST_F(EngineFaults, short_source_is_corrupt) {
  // Short by a byte, by a buffer, at the first byte, in the first buffer; small and large.
  for (const std::size_t length : {k_size + 1, k_size + k_buffer, 2 * k_size}) {
    const auto result = copy(length);
    ASSERT_FALSE(result) << length;
    EXPECT_EQ(result.error().kind, ErrorKind::corrupt);
    EXPECT_EQ(result.error().sys_errno, EIO);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, k_buffer - 1}) {
    MemorySource small(pattern(size));
    const auto result = engine.copy(small, sink, {0, k_buffer}, {});
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().kind, ErrorKind::corrupt);
    EXPECT_EQ(result.error().sys_errno, EIO);
  }
}

TEST_F(EngineFaults, short_source_that_ends_in_a_hole_is_corrupt) {
  MemorySource holey(4 * k_buffer, {{0, 100}});
  EXPECT_TRUE(engine.copy(holey, sink, {0, 4 * k_buffer}, {}));
  const auto result = engine.copy(holey, sink, {0, 4 * k_buffer + 1}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::corrupt);
  EXPECT_EQ(result.error().sys_errno, EIO);
}

TEST_F(EngineFaults, stop_before_the_first_buffer) {
  const std::atomic<bool> stop{true};
  for (const std::size_t length : {k_buffer, k_size}) {
    const auto result = copy(length, &stop);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::cancelled);
    EXPECT_EQ(result.error().sys_errno, ECANCELED);
  }
  EXPECT_EQ(source.reads, 0);
  EXPECT_EQ(sink.writes, 0);
}

TEST_F(EngineFaults, stop_in_the_middle) {
  std::atomic<bool> stop{false};
  source.before_read = [&](int n) -> Status {
    stop = n == 3;
    return {};
  };
  const auto result = copy(k_size, &stop);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().sys_errno, ECANCELED);
  EXPECT_EQ(source.reads, 3);
  EXPECT_LE(sink.writes, 3);
  expect_works_afterwards();
}

TEST_F(EngineFaults, stop_seen_while_the_writer_is_stuck_waits_for_its_call_only) {
  std::atomic<bool> stop{false};
  std::atomic<int> reads{0};
  source.before_read = [&](int n) -> Status {
    reads = n;
    reads.notify_all();
    return {};
  };
  sink.before_write = [&](int n) -> Status {
    if (n == 1) {
      reads.wait(1);  // until the reader fills the second buffer
      stop = true;
    }
    return {};
  };
  EXPECT_EQ(copy(k_size, &stop).error().sys_errno, ECANCELED);
  EXPECT_LE(sink.writes, 3);
}

TEST_F(EngineFaults, error_of_on_done_ends_the_copy) {
  for (int n = 1; n <= 3; ++n) {
    int calls = 0;
    const auto result = engine.copy(source, sink, {0, k_size}, {.on_done = [&](Extent) -> Status {
                                      if (++calls == n) return errno_error("progress", "fid", ECANCELED);
                                      return {};
                                    }});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().operation, "progress");
    EXPECT_EQ(calls, n);
    expect_works_afterwards();
  }
}

TEST_F(EngineFaults, error_of_on_done_of_a_small_file) {
  const auto result = engine.copy(source, sink, {0, 10},
                                  {.on_done = [](Extent) -> Status { return errno_error("progress", "fid", ENOENT); }});
  EXPECT_EQ(result.error().sys_errno, ENOENT);
}

/// Answers next_data with what the test says.
class LyingSource final : public ByteSource {
 public:
  Extent answer;
  [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t) override { return out.size(); }
  [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent) override { return answer; }
};

TEST_F(EngineFaults, source_that_breaks_its_promise_is_an_error_and_no_endless_loop) {
  LyingSource liar;
  for (const Extent answer : {Extent{10, 0}, Extent{0, 2 * k_size}, Extent{k_size, k_size}}) {
    liar.answer = answer;
    const auto result = engine.copy(liar, sink, {4096, k_size}, {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::internal);
  }
}

}  // namespace
}  // namespace lhsm::copy
