// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace lhsm::cli {

/// The command `status`: how a job stands, also while it runs.
class StatusCommand {
 public:
  explicit StatusCommand(CLI::App& app);
  StatusCommand(const StatusCommand&) = delete;
  StatusCommand& operator=(const StatusCommand&) = delete;
  [[nodiscard]] bool parsed() const { return m_app->parsed(); }
  /// Return the exit code. Throws Fatal.
  int run() const;

 private:
  CLI::App* m_app;
  std::string m_manifest;
  bool m_json = false;
};

}  // namespace lhsm::cli
