// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/run/file_action.hpp"

namespace lhsm::run {

/// A large file that a rank has begun, with what its procedure works with.
struct OwnedAction {
  explicit OwnedAction(const Environment& shared) : environment(shared.of_action(is_untaken)) {}
  OwnedAction(const OwnedAction&) = delete;
  OwnedAction& operator=(const OwnedAction&) = delete;

  std::atomic<bool> is_untaken = false;
  Environment environment;
  std::unique_ptr<FileAction> action;
};

/// The large files that a rank has begun and not ended. Any thread.
class OwnedActions {
 public:
  void add(JobId job, std::unique_ptr<OwnedAction> action) {
    const std::lock_guard lock(m_mutex);
    m_actions.emplace(job, std::move(action));
  }
  /// Throws Fatal when there is no such file.
  [[nodiscard]] std::unique_ptr<OwnedAction> take(JobId job) {
    const std::lock_guard lock(m_mutex);
    const auto at = m_actions.extract(job);
    if (at.empty()) throw Fatal("told to finish a file that this rank does not own");
    return std::move(at.mapped());
  }

 private:
  std::mutex m_mutex;
  std::map<JobId, std::unique_ptr<OwnedAction>> m_actions;
};

}  // namespace lhsm::run
