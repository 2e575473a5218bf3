// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/copy/engine.hpp"

namespace lhsm::run {

/// The threads that copy: `slots` of them, each with a copy engine of its own, taking tasks first
/// come, first served.
class SlotPool {
 public:
  /// `job` names the action that the task belongs to; `recallable` tasks may be taken back. Those that
  /// have `abandon` may be taken out, who does so calls it instead of run.
  struct Task {
    JobId job = 0;
    bool recallable = false;
    std::function<void(copy::Engine&)> run;
    std::function<void(const Error&)> abandon = nullptr;
  };

  /// `on_idle` is called by a slot that found nothing more to do.
  SlotPool(std::size_t slots, std::size_t buffer_bytes, std::function<void()> on_idle);
  /// Carries out what is queued, then ends the threads.
  ~SlotPool();
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  void add(Task task);
  void add(std::vector<Task> tasks);
  /// Take back at most `most` recallable tasks that no slot has begun, the last ones first. Returns
  /// their jobs in the order in which they were added.
  [[nodiscard]] std::vector<JobId> take_back(std::size_t most);
  /// Take out the tasks of `job` that can be abandoned and that no slot has begun.
  [[nodiscard]] std::vector<Task> take_out(JobId job);
  [[nodiscard]] std::size_t running() const;
  /// Time in which no slot was at work, since the start.
  [[nodiscard]] Duration idle_time() const;
  /// Whether nothing runs and nothing is queued.
  [[nodiscard]] bool idle() const;

 private:
  void stop();
  void run(std::size_t buffer_bytes);

  std::function<void()> m_on_idle;
  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<Task> m_tasks;
  std::size_t m_running = 0;
  TimePoint m_idle_since = std::chrono::steady_clock::now();  // when m_running became 0
  Duration m_idle{};                                          // before that
  bool m_stop = false;
  std::vector<std::jthread> m_threads;
};

}  // namespace lhsm::run
