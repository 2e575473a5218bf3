// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>

#include "verify.hpp"

namespace lhsm::cli {

/// The command `verify`: an archive's objects against their digests.
class VerifyCommand {
 public:
  explicit VerifyCommand(CLI::App& app);
  VerifyCommand(const VerifyCommand&) = delete;
  VerifyCommand& operator=(const VerifyCommand&) = delete;
  [[nodiscard]] bool parsed() const { return m_app->parsed(); }
  /// Return the exit code. `agreed`: what all ranks must have come to. Throws Fatal.
  int run(const std::string& agreed);

 private:
  CLI::App* m_app;
  VerifyOptions m_options;
};

}  // namespace lhsm::cli
