// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/scan/row.hpp"

namespace lhsm::scan {

/// Gives rows to a sink in a thread of its own: compressing takes longer than messages may wait. How much waits is
/// limited by those that send, who go on when they hear that a block was taken.
class RowWriter {
 public:
  /// `sink` outlives this. `notify` is called by the thread when a block was taken.
  RowWriter(RowSink& sink, std::function<void()> notify);
  /// What the sink has not taken by then is dropped.
  ~RowWriter();
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  void add(std::string block, WorkerId from);
  /// Return whose block was taken next, or nothing.
  [[nodiscard]] std::optional<WorkerId> next_taken();
  [[nodiscard]] std::optional<Error> error() const;
  /// Whether the sink has got all.
  [[nodiscard]] bool is_empty() const;

 private:
  void run();

  RowSink& m_sink;
  std::function<void()> m_notify;
  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<std::pair<std::string, WorkerId>> m_blocks;
  std::deque<WorkerId> m_taken;
  std::optional<Error> m_error;
  bool m_busy = false;
  bool m_stop = false;
  std::jthread m_thread;
};

}  // namespace lhsm::scan
