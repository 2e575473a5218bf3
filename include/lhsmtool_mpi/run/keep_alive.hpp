// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::run {

/// Tells the coordinators of actions that wait in our queue that these are not lost: an empty progress each.
/// Has a thread of its own, since an MDT may let it wait.
class KeepAlive {
 public:
  using Actions = std::vector<std::pair<JobId, ActionItem>>;
  struct Answers {
    std::vector<JobId> gone;  ///< cancelled, or unknown to the coordinator: not to be begun any more
    bool estranged = false;   ///< a coordinator seems to have forgotten us
  };

  /// `on_answer` is called in the thread, when take_answers() has something.
  KeepAlive(lustre::Client& client, std::function<void()> on_answer);
  ~KeepAlive();
  KeepAlive(const KeepAlive&) = delete;
  KeepAlive& operator=(const KeepAlive&) = delete;

  /// Whether the actions of the last report() are all through.
  [[nodiscard]] bool idle() const;
  /// Report these as alive; returns at once. Only while idle().
  void report(Actions actions);
  [[nodiscard]] Answers take_answers();

 private:
  void run(const std::stop_token& stop);

  lustre::Client& m_client;
  std::function<void()> m_on_answer;
  mutable std::mutex m_mutex;
  std::condition_variable_any m_changed;
  Actions m_actions;
  bool m_idle = true;
  Answers m_answers;
  std::jthread m_thread;
};

}  // namespace lhsm::run
