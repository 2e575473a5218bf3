// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "batch.hpp"
#include "lhsmtool_mpi/copy/bytes.hpp"

namespace lhsm::copy {

/// Writes batches in the order in which they are submitted; at most two are on their way. One thread
/// calls; submitted batches and the sink stay untouched until they are waited for or cancelled.
class WriterThread {
 public:
  static constexpr std::size_t k_batches = 2;

  /// Throws std::system_error when there can be no thread.
  WriterThread();
  ~WriterThread();
  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;

  /// Begin a copy; batches are counted from here.
  void begin(ByteSink& sink);
  void submit(const Batch& batch);
  /// Wait until `count` batches were written. Return the first error of the sink.
  [[nodiscard]] Status wait_written(std::uint64_t count);
  /// Drop what was not written yet; when it returns the sink is not used any more.
  void cancel();

 private:
  void run();
  [[nodiscard]] Status write(const Batch& batch);
  void start_writeback(Extent written);

  std::mutex m_mutex;
  std::condition_variable m_wake;  // for the writer
  std::condition_variable m_done;  // for the caller
  std::array<const Batch*, k_batches> m_ring{};
  std::uint64_t m_submitted = 0;
  std::uint64_t m_taken_care_of = 0;  // written, or dropped after an error
  Status m_status;
  ByteSink* m_sink = nullptr;
  bool m_quit = false;
  std::atomic<bool> m_cancelled{false};
  Extent m_dirty;  // written, and the system not yet asked to write it out
  std::thread m_thread;
};

}  // namespace lhsm::copy
