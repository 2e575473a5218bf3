// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "deadline_options.hpp"
#include "lhsmtool_mpi/bulk/job_run.hpp"
#include "lhsmtool_mpi/cli/scan.hpp"
#include "serve_options.hpp"

namespace lhsm::cli {

class Process;

/// What the commands restore, archive, release, remove, import and retry can be told.
struct JobCommandOptions {
  ServeOptions serve;
  bulk::JobRunOptions run;
  bool submit_only = false;
  /// Of an import: the archive of the file system that files come from. Empty, or nothing: the same as that of their new one.
  std::string from_root;
  std::optional<archive::TreeFormat> from_format;
};

/// Carry out a job, on all ranks of it; return the exit code. Throws Fatal.
int run_job(const JobCommandOptions& options, Process& process);

/// The same for one that the ranks carry out themselves (bulk::is_done_by_ranks): without a copytool.
int run_rank_job(const JobCommandOptions& options, Process& process);

/// The commands that carry out a job.
class JobCommands {
 public:
  explicit JobCommands(CLI::App& app);
  JobCommands(const JobCommands&) = delete;
  JobCommands& operator=(const JobCommands&) = delete;
  /// Whether one of them is what was asked for.
  [[nodiscard]] bool parsed() const;
  /// `command_line` is what is recorded, `agreed` what all ranks must have come to. Throws UsageError, Fatal.
  int run(const std::string& command_line, const std::string& agreed);

 private:
  struct Command {
    CLI::App* app;
    store::ItemAction action;
    std::vector<CLI::Option*> conditions;  ///< which files a scan takes
  };

  void add(CLI::App& app, const std::string& name, const std::string& help, store::ItemAction action);
  void add_job_options(CLI::App& command, store::ItemAction action);
  void add_import_options(CLI::App& command, store::ItemAction action);
  int carry_out(const Command& command, Process& process);
  int retry(Process& process);
  void check_root() const;
  void check_import() const;

  std::vector<Command> m_commands;
  JobCommandOptions m_options;
  RawServeOptions m_raw;
  ScanCommand m_scan;
  DeadlineOptions m_deadline;
  std::vector<std::string> m_targets;
  bool m_only_failed = false;
};

}  // namespace lhsm::cli
