// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/cli/scan.hpp"

namespace CLI {
class App;
}

namespace lhsm::cli {

/// Add `scan` to the program's commands; parsing fills in `command`, which must outlive `app`.
CLI::App& add_scan_command(CLI::App& app, ScanCommand& command);

}  // namespace lhsm::cli
