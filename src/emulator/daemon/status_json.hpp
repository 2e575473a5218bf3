// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/cluster_state.hpp"
#include "core/coordinator.hpp"

namespace lhsm::emulator {

/// What is known beside the coordinators.
struct ClusterView {
  const ClusterState* state = nullptr;
  std::map<std::string, std::set<pid_t>> clients;  ///< processes by uuid
  std::vector<std::pair<Fid, std::uint64_t>> group_locks;
  std::size_t blocked_readers = 0;
};

/// Return the daemon's state as one JSON object, for `lhsm_emulator status --json`.
[[nodiscard]] std::string status_json(const std::string& fsname, pid_t pid,
                                      const std::vector<std::unique_ptr<Coordinator>>& mdts,
                                      const ClusterView& cluster);

}  // namespace lhsm::emulator
