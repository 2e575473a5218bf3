// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Decorators that do as the thing they wrap until a call, counted from 1, on which something happens:
// a failure, or anything a test wants to do there.
#pragma once

#include <functional>
#include <utility>

#include "lhsmtool_mpi/copy/bytes.hpp"

namespace lhsm::test {

/// Called with the number of the call, from 1; an error is returned instead of making the call.
using BeforeCall = std::function<Status(int)>;

inline BeforeCall fail_at(int call, int sys_errno) {
  return [=](int n) -> Status {
    if (n == call) return errno_error("injected", "fault", sys_errno);
    return {};
  };
}

class FaultySource final : public copy::ByteSource {
 public:
  explicit FaultySource(copy::ByteSource& wrapped) : m_wrapped(wrapped) {}
  BeforeCall before_read;
  BeforeCall before_next_data;
  int reads = 0;
  int questions = 0;

  [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) override {
    ++reads;
    if (before_read) LHSM_TRY(before_read(reads));
    return m_wrapped.read_at(out, offset);
  }
  [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent range) override {
    ++questions;
    if (before_next_data) LHSM_TRY(before_next_data(questions));
    return m_wrapped.next_data(range);
  }

 private:
  copy::ByteSource& m_wrapped;
};

class FaultySink final : public copy::ByteSink {
 public:
  explicit FaultySink(copy::ByteSink& wrapped) : m_wrapped(wrapped) {}
  BeforeCall before_write;
  BeforeCall before_sync;
  int writes = 0;
  int syncs = 0;
  int writebacks = 0;

  [[nodiscard]] Status write_at(std::span<const std::byte> bytes, std::uint64_t offset) override {
    ++writes;
    if (before_write) LHSM_TRY(before_write(writes));
    return m_wrapped.write_at(bytes, offset);
  }
  [[nodiscard]] Status sync() override {
    ++syncs;
    if (before_sync) LHSM_TRY(before_sync(syncs));
    return m_wrapped.sync();
  }
  void start_writeback(Extent range) override {
    ++writebacks;
    m_wrapped.start_writeback(range);
  }

 private:
  copy::ByteSink& m_wrapped;
};

}  // namespace lhsm::test
