// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>

#include "lhsmtool_mpi/bulk/job_run.hpp"
#include "lhsmtool_mpi/cli/control_file.hpp"

namespace lhsm::cli {

/// Add the options about which files of a job are asked for when. `run` outlives the parsing; then check_order().
void add_order_options(CLI::App& app, bulk::JobRunOptions& run, store::ItemAction action);

/// Add those about how many: part of the above, for jobs that have no other order than the manifest's.
void add_limit_options(CLI::App& app, bulk::JobRunOptions& run);

/// Throws UsageError for what does not go together.
void check_order(const bulk::OrderOptions& order);

/// Return the limits that hold with what a control file says: `standard` where it says nothing.
[[nodiscard]] bulk::JobLimits limits_of(const Controls& controls, const bulk::JobLimits& standard);

}  // namespace lhsm::cli
