// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace lhsm::cli {

/// The command `report`: what became of a job, for people and programs; also while it runs.
class ReportCommand {
 public:
  explicit ReportCommand(CLI::App& app);
  ReportCommand(const ReportCommand&) = delete;
  ReportCommand& operator=(const ReportCommand&) = delete;
  [[nodiscard]] bool parsed() const { return m_app->parsed(); }
  /// Return the exit code. Throws UsageError, Fatal.
  int run() const;

 private:
  enum class Form { by_name, csv, json, html };
  [[nodiscard]] Form form() const;

  CLI::App* m_app;
  std::string m_manifest;
  std::string m_output;
  Form m_form = Form::by_name;
  bool m_items = false;
};

}  // namespace lhsm::cli
