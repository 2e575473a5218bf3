// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The file of --control: what an administrator may change while the run goes on. Lines of
//   bandwidth=SIZE             as -b takes it; 0 = no limit
//   max-files-per-second=N     of a job; 0 = no limit
//   limit-action=ACTION=N,...  of a job; 0 = no limit
// blank lines, and comments that begin with '#'. What it does not say is as the command line says.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::cli {

/// Requests of a job that may be at the coordinator, by action ("restore").
using ActionLimits = std::map<std::string, std::size_t, std::less<>>;

/// Read "restore=N,archive=N"; 0: no limit, and such an action is left out. `invalid` with EINVAL otherwise.
[[nodiscard]] Outcome<ActionLimits> parse_action_limits(std::string_view text);

struct Controls {
  std::optional<std::uint64_t> bandwidth;  ///< bytes per second, 0 = no limit
  std::optional<std::uint64_t> files_per_second;  ///< 0 = no limit
  std::optional<ActionLimits> action_limits;
};

/// Read the text of a control file; `invalid` with EINVAL, naming the line, when it is not understood.
[[nodiscard]] Outcome<Controls> parse_controls(std::string_view text);

/// Ends when it is dropped.
using ControlWatch = std::unique_ptr<std::jthread>;

/// Look at `path` now and each second, and call `apply` with what it says whenever it has changed: here for
/// the first time, then in a thread. A file that is missing, or not understood, changes nothing; the
/// latter is logged. An empty path: nothing is watched.
[[nodiscard]] ControlWatch watch_control_file(const std::string& path, std::function<void(const Controls&)> apply);

}  // namespace lhsm::cli
