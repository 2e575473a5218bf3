// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "lhsmtool_mpi/archive/posix_backend.hpp"
#include "lhsmtool_mpi/bulk/forecast.hpp"
#include "plan_text.hpp"

namespace lhsm::cli {

/// The command `plan`: what a run of a job would do.
class PlanCommand {
 public:
  explicit PlanCommand(CLI::App& app);
  PlanCommand(const PlanCommand&) = delete;
  PlanCommand& operator=(const PlanCommand&) = delete;
  [[nodiscard]] bool parsed() const { return m_app->parsed(); }
  /// Return the exit code. Throws Fatal.
  int run() const;

 private:
  void find_room(Plan& plan, lustre::Client* client) const;
  void estimate(Plan& plan, store::SeenJob& job) const;

  CLI::App* m_app;
  std::string m_manifest;
  std::string m_mount;
  archive::PosixOptions m_archive;
  bulk::ForecastOptions m_options;
  double m_rate_mb = 0;
  double m_files_per_second = 0;
  bool m_only_failed = false;
  bool m_json = false;
};

}  // namespace lhsm::cli
