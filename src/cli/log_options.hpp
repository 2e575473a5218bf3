// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>

#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::cli {

/// Add the options about a command's log. `setup` outlives the parsing.
void add_log_options(CLI::App& app, log::Setup& setup);

}  // namespace lhsm::cli
