// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <mutex>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::run {

/// Tells a copy to stop, and why. Raised once; any thread.
class StopFlag {
 public:
  void raise(const Error& error) {
    const std::lock_guard lock(m_mutex);
    if (m_raised) return;
    m_error = error;
    m_raised = true;
  }
  [[nodiscard]] const std::atomic<bool>& raised() const { return m_raised; }
  [[nodiscard]] Error error() const {
    const std::lock_guard lock(m_mutex);
    return m_error;
  }

 private:
  mutable std::mutex m_mutex;
  Error m_error;
  std::atomic<bool> m_raised = false;
};

}  // namespace lhsm::run
