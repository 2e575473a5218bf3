// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/run/file_action.hpp"

namespace lhsm::run {

/// The large files that a rank has begun and not ended. Any thread.
class OwnedActions {
 public:
  void add(JobId job, std::unique_ptr<FileAction> action) {
    const std::lock_guard lock(m_mutex);
    m_actions.emplace(job, std::move(action));
  }
  /// Throws Fatal when there is no such file.
  [[nodiscard]] std::unique_ptr<FileAction> take(JobId job) {
    const std::lock_guard lock(m_mutex);
    const auto at = m_actions.extract(job);
    if (at.empty()) throw Fatal("told to finish a file that this rank does not own");
    return std::move(at.mapped());
  }

 private:
  std::mutex m_mutex;
  std::map<JobId, std::unique_ptr<FileAction>> m_actions;
};

}  // namespace lhsm::run
