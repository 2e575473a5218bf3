// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "core/coordinator.hpp"

namespace lhsm::emulator {

/// Return the daemon's state as one JSON object, for `lhsm_emulator status --json`.
[[nodiscard]] std::string status_json(const std::string& fsname, pid_t pid,
                                      const std::vector<std::unique_ptr<Coordinator>>& mdts,
                                      std::size_t blocked_readers);

}  // namespace lhsm::emulator
