// SPDX-License-Identifier: LGPL-2.1-or-later
#include "watch_options.hpp"

#include <map>

namespace lhsm::cli {

void add_watch_options(CLI::App& app, ServeOptions& options) {
  app.add_option("--status", options.status_file, "Keep a file that says how the run stands, for the command status")
      ->type_name("FILE");
  app.add_option("--metrics", options.metrics_file, "Keep a file of metrics for Prometheus (node_exporter's textfile collector)")
      ->type_name("FILE");
  app.add_option("--log-format,--log_format", options.log_format, "Lines of the log: text or json")
      ->transform(CLI::CheckedTransformer(std::map<std::string, log::Format>{{"text", log::Format::text},
                                                                             {"json", log::Format::json}})
                      .description(""))
      ->default_str("text")
      ->type_name("text|json");
  app.add_option("--log-file,--log_file", options.log_file,
                 "Log into a file for each rank, not on stderr; %r in its name is the rank, %h the host")
      ->type_name("FILE");
}

}  // namespace lhsm::cli
