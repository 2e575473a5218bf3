// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "lhsmtool_mpi/cli/scan.hpp"

namespace CLI {
class App;
class Option;
}

namespace lhsm::cli {

/// Add `scan` to the program's commands; parsing fills in `command`, which must outlive `app`.
CLI::App& add_scan_command(CLI::App& app, ScanCommand& command);

/// Add those options of a scan to a job's command by which the job makes its manifest itself; what both commands have is
/// the job's. Return the options that say which files are taken. check() comes after the parsing.
std::vector<CLI::Option*> add_scan_options_of_job(CLI::App& app, ScanCommand& command);

/// Bring `command` into its final form. Throws CLI::ValidationError.
void check(ScanCommand& command);

}  // namespace lhsm::cli
