// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>

#include "check.hpp"

namespace lhsm::cli {

/// The command `check`: would a run work here, and how well?
class CheckCommand {
 public:
  explicit CheckCommand(CLI::App& app);
  CheckCommand(const CheckCommand&) = delete;
  CheckCommand& operator=(const CheckCommand&) = delete;
  [[nodiscard]] bool parsed() const { return m_app->parsed(); }
  /// Return the exit code. Throws Fatal.
  int run();

 private:
  CLI::App* m_app;
  CheckOptions m_options;
};

}  // namespace lhsm::cli
