// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::cli {

using WallTime = std::chrono::sys_seconds;

/// A point in time as --deadline takes it: seconds since the epoch, `+SECONDS` from `now`, or `[DAYS-]HH:MM:SS` from `now`, as
/// batch schedulers write what is left of a walltime. `none`: no value. `invalid` (EINVAL) for anything else.
[[nodiscard]] Outcome<std::optional<WallTime>> parse_deadline(std::string_view text, WallTime now);

/// When the batch job ends in which this process runs, as far as its environment says so: SLURM_JOB_END_TIME (Slurm from 23.02 on).
/// Older ones, PBS and LSF tell it to commands only. `variable` returns an environment variable, or null.
[[nodiscard]] std::optional<WallTime> scheduler_deadline(const std::function<const char*(const char*)>& variable);

}  // namespace lhsm::cli
