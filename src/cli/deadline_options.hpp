// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "lhsmtool_mpi/base/clock.hpp"

namespace lhsm::cli {

/// What options say of the time at which a job has to be over.
struct DeadlineOptions {
  std::string deadline;             ///< as parse_deadline() takes it; empty: what the scheduler says
  std::optional<unsigned> margin;  ///< seconds
};

/// Add --deadline and --deadline-margin to a command's options. `options` outlives the parsing.
void add_deadline_options(CLI::App& app, DeadlineOptions& options);

/// Return when a job has to stop, so that what runs then can end within `drain_timeout` and the manifest be written
/// before the deadline; nothing: there is none. Throws UsageError.
[[nodiscard]] std::optional<TimePoint> stop_time(const DeadlineOptions& options, std::chrono::seconds drain_timeout);

}  // namespace lhsm::cli
