// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace lhsm::cli {

/// The command `status`: how a job stands, or a run that keeps a file of its state, also while it runs.
class StatusCommand {
 public:
  explicit StatusCommand(CLI::App& app);
  StatusCommand(const StatusCommand&) = delete;
  StatusCommand& operator=(const StatusCommand&) = delete;
  [[nodiscard]] bool parsed() const { return m_app->parsed(); }
  /// Return the exit code. Throws UsageError, Fatal.
  int run();

 private:
  void read_watch();
  void watch() const;
  void print() const;

  CLI::App* m_app;
  std::string m_manifest;
  std::vector<std::string> m_watch;  ///< what stands behind --watch
  bool m_watches = false;
  unsigned m_interval = 10;  ///< seconds
  bool m_json = false;
};

}  // namespace lhsm::cli
