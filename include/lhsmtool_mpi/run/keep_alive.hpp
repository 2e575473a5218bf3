// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "lhsmtool_mpi/base/fid.hpp"
#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::run {

/// Tells the coordinators of actions that wait in our queue that these are not lost: an empty progress each.
/// Has a thread of its own, since an MDT may let it wait.
class KeepAlive {
 public:
  /// What a report needs of an action; millions may wait.
  struct Action {
    JobId job;
    Fid fid;
    std::uint64_t cookie;
  };
  using Actions = std::vector<Action>;
  struct Answers {
    std::vector<JobId> cancelled;
    std::vector<JobId> forgotten;  ///< unknown to the coordinator (any more)
    bool estranged = false;        ///< a coordinator seems to have forgotten us
  };

  /// `on_answer` is called in the thread, when take_answers() has something, and when it has stopped.
  KeepAlive(lustre::Client& client, std::function<void()> on_answer);
  ~KeepAlive();  ///< stops, and waits for it
  KeepAlive(const KeepAlive&) = delete;
  KeepAlive& operator=(const KeepAlive&) = delete;

  /// Whether the actions of the last report() are all through.
  [[nodiscard]] bool idle() const;
  /// Report these as alive; returns at once. Only while idle().
  void report(Actions actions);
  [[nodiscard]] Answers take_answers();
  /// Report no more. Waits for nobody: the present report may last.
  void request_stop() { m_thread.request_stop(); }
  [[nodiscard]] bool stopped() const;

 private:
  void run(const std::stop_token& stop);
  void report_all(const std::stop_token& stop, std::unique_lock<std::mutex>& lock);

  lustre::Client& m_client;
  std::function<void()> m_on_answer;
  mutable std::mutex m_mutex;
  std::condition_variable_any m_changed;
  Actions m_actions;
  bool m_idle = true;
  bool m_stopped = false;
  Answers m_answers;
  std::jthread m_thread;
};

}  // namespace lhsm::run
