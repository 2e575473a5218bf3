// SPDX-License-Identifier: LGPL-2.1-or-later
#include "watch_options.hpp"

#include "log_options.hpp"

namespace lhsm::cli {

void add_watch_options(CLI::App& app, ServeOptions& options) {
  app.add_option("--status", options.status_file, "Keep a file that says how the run stands, for the command status")
      ->type_name("FILE");
  app.add_option("--metrics", options.metrics_file, "Keep a file of metrics for Prometheus (node_exporter's textfile collector)")
      ->type_name("FILE");
  add_log_options(app, options.log);
}

}  // namespace lhsm::cli
