// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Options that come from elsewhere than the command line, which goes before all: the environment (LHSMTOOL_MPI_<COMMAND>_<OPTION>,
// then LHSMTOOL_MPI_<OPTION>), then the config file (section [command], then keys above all sections).
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "config_file.hpp"

namespace lhsm::cli {

/// The options of the command that was asked for, and where each came from. Made when `app` has all its commands, before it
/// parses; lives as long. What cannot be taken is thrown out of App::parse() as CLI::ConfigError.
class Configuration {
 public:
  explicit Configuration(CLI::App& app);
  Configuration(const Configuration&) = delete;
  Configuration& operator=(const Configuration&) = delete;

  /// After the parsing: the command line, and behind it, as options, what came from elsewhere. A shell would run the same
  /// again, anywhere.
  [[nodiscard]] std::string command_line(int argc, char** argv) const;
  /// After the parsing: what the options came to, "name=value" lines, but for those that are each rank's own affair.
  [[nodiscard]] std::string agreed() const;

 private:
  /// What one of the sources says of an option.
  struct Given {
    std::string origin;
    std::vector<std::string> values;
    bool is_array = false;
  };
  /// One source, by names of options.
  using Source = std::map<std::string, Given>;

  void lay();
  [[nodiscard]] bool asks_for_help() const;
  void read_file();
  void check_names(const ConfigText& text) const;
  [[nodiscard]] Source section(const std::string& name) const;
  [[nodiscard]] Source environment(const std::string& prefix) const;
  void warn_of_unknown_variables() const;
  void apply(const Source& source, bool is_general);
  void apply(CLI::Option& option, const Given& given);
  [[nodiscard]] bool is_settled(const CLI::Option* option) const;
  [[nodiscard]] std::string text() const;
  [[noreturn]] void refuse(const std::string& why) const;

  CLI::App& m_app;
  CLI::Option* m_file = nullptr;
  CLI::Option* m_print = nullptr;
  bool m_prints = false;
  CLI::App* m_command = nullptr;          // that was asked for
  std::string m_path;                     // of the file
  bool m_has_file = false;
  ConfigText m_text;
  std::map<const CLI::Option*, Given> m_given;  // of the command; values as they were written
};

/// Return the options of a command that may be given elsewhere than on the command line.
[[nodiscard]] std::vector<CLI::Option*> configurable_options(CLI::App& command);
/// The name of an option in files, and in the environment in capitals: the first long one.
[[nodiscard]] std::string config_name(const CLI::Option& option);

}  // namespace lhsm::cli
