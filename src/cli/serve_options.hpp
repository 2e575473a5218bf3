// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <string>

#include "lhsmtool_mpi/cli/serve.hpp"

namespace lhsm::cli {

/// What options say that ServeOptions has in another form.
struct RawServeOptions {
  double update_interval = 30;
};

/// Which command the options are for.
enum class Service {
  live,  ///< serves until it is stopped
  job,   ///< has an end; its mount point is read with the rest of its arguments
};

/// Add the options of a copytool to a command's. `options` and `raw` outlive the parsing; then finish().
void add_serve_options(CLI::App& app, ServeOptions& options, RawServeOptions& raw, Service service);

/// Bring `options` into their final form.
void finish(ServeOptions& options, const RawServeOptions& raw);

/// Add an option in seconds, 1 to a day.
void add_seconds(CLI::App& app, const std::string& names, std::chrono::seconds& value, const std::string& standard,
                 const std::string& help);

}  // namespace lhsm::cli
