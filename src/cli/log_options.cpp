// SPDX-License-Identifier: LGPL-2.1-or-later
#include "log_options.hpp"

#include <algorithm>

namespace lhsm::cli {

namespace {

log::Level moved(log::Level level, int by) {
  return static_cast<log::Level>(
      std::clamp(static_cast<int>(level) + by, static_cast<int>(log::Level::debug), static_cast<int>(log::Level::error)));
}

}  // namespace

void add_log_options(CLI::App& app, log::Setup& setup) {
  app.add_option_function<std::string>(
         "--log-format,--log_format",
         [&setup](const std::string& text) {
           if (text != "text" && text != "json") throw CLI::ValidationError("--log-format: '" + text + "' is neither text nor json");
           setup.format = text == "json" ? log::Format::json : log::Format::text;
         },
         "Lines of the log: text or json")
      ->default_str("text")
      ->type_name("text|json");
  app.add_option("--log-file,--log_file", setup.file,
                 "Log into a file for each rank, not on stderr; %r in its name is the rank, %h the host")
      ->type_name("FILE");
  app.add_flag_callback("-v,--verbose", [&setup] { setup.level = moved(setup.level, -1); }, "Log more; may be repeated")
      ->trigger_on_parse();
  app.add_flag_callback("-q,--quiet", [&setup] { setup.level = moved(setup.level, 1); }, "Log less; may be repeated")
      ->trigger_on_parse();
}

}  // namespace lhsm::cli
