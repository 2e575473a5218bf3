// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace lhsm::cli {

/// The command `completion`, which --help does not show: the script by which a shell completes this program's words, made
/// of the same tables that are parsed by. The build calls it.
class CompletionCommand {
 public:
  explicit CompletionCommand(CLI::App& app);
  CompletionCommand(const CompletionCommand&) = delete;
  CompletionCommand& operator=(const CompletionCommand&) = delete;
  [[nodiscard]] bool parsed() const { return m_command->parsed(); }
  /// Return the exit code.
  int run() const;

 private:
  CLI::App& m_app;
  CLI::App* m_command;
  std::string m_shell;
};

}  // namespace lhsm::cli
