// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <unordered_map>

#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/run/stop_flag.hpp"

namespace lhsm::run {

/// The flags that the tasks of a job on this rank look at, for as long as there are such tasks. One thread's.
class StopFlags {
 public:
  [[nodiscard]] std::shared_ptr<StopFlag> of(JobId job) {
    auto& slot = m_flags[job];
    auto flag = slot.lock();
    if (!flag) slot = flag = std::make_shared<StopFlag>();
    return flag;
  }
  void raise(JobId job, const Error& error) {
    if (const auto it = m_flags.find(job); it != m_flags.end())
      if (const auto flag = it->second.lock()) flag->raise(error);
  }
  void forget(JobId job) { m_flags.erase(job); }
  void forget_unused() {
    std::erase_if(m_flags, [](const auto& entry) { return entry.second.expired(); });
  }

 private:
  std::unordered_map<JobId, std::weak_ptr<StopFlag>> m_flags;
};

}  // namespace lhsm::run
