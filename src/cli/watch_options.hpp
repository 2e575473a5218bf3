// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>

#include "lhsmtool_mpi/cli/serve.hpp"

namespace lhsm::cli {

/// Add the options about what a run tells of itself: status, metrics, log. `options` outlives the parsing.
void add_watch_options(CLI::App& app, ServeOptions& options);

}  // namespace lhsm::cli
