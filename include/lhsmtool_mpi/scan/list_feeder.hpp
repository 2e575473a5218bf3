// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::scan {

/// Reads a list in a thread of its own, a little ahead of those that look its lines up: what writes into a pipe may take
/// its time, and a list may be longer than memory.
class ListFeeder {
 public:
  /// Read `list` to its end. Relative paths in it are relative to `base` (absolute). `notify` is called by the thread when
  /// there is something new.
  ListFeeder(Fd list, char separator, std::string base, std::function<void()> notify);
  /// Does not wait for the other end of a pipe.
  ~ListFeeder();
  ListFeeder(const ListFeeder&) = delete;
  ListFeeder& operator=(const ListFeeder&) = delete;

  /// Return the next lines, or nothing when there are none now.
  [[nodiscard]] std::optional<comm::ScanTask> next();
  /// Return what could not even be handed on as a line: failed_lines and problems.
  [[nodiscard]] comm::ScanFound take_refused();
  /// Whether next() has nothing more for ever. The error that ended the reading, if there was one: then the list is not
  /// whole.
  [[nodiscard]] Outcome<bool> is_finished() const;

 private:
  void run(char separator);
  [[nodiscard]] Outcome<bool> wait_readable() const;
  void take_line(std::string_view line);
  void hand_on();

  Fd m_list;
  std::function<void()> m_notify;
  comm::ScanTask m_filling;  // the thread's own

  mutable std::mutex m_mutex;
  std::condition_variable m_room;
  std::deque<comm::ScanTask> m_tasks;
  comm::ScanFound m_refused;
  bool m_finished = false;
  bool m_stopping = false;
  std::optional<Error> m_error;
  Fd m_stop;  // readable when the thread is to end
  std::jthread m_thread;
};

}  // namespace lhsm::scan
