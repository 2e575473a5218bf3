// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/bulk/job_run.hpp"

namespace lhsm::cli {

/// Return the exit code of a run of a job.
[[nodiscard]] int exit_code_of(const bulk::JobReport& report, int stop_signal);

/// Return what is printed at its end.
[[nodiscard]] std::string summary(const bulk::JobReport& report, store::ItemAction action, const std::string& manifest);

/// Print a line of progress, for a run without a copytool's.
void print_progress(bulk::JobRun& run);

}  // namespace lhsm::cli
