// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/commands.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/scan.hpp"
#include "lhsmtool_mpi/cli/serve.hpp"
#include "check_command.hpp"
#include "command_line.hpp"
#include "job_command.hpp"
#include "plan_command.hpp"
#include "posix_main.hpp"
#include "rank_zero.hpp"
#include "report_command.hpp"
#include "scan_options.hpp"
#include "serve_options.hpp"
#include "status_command.hpp"
#include "verify_command.hpp"

namespace lhsm::cli {

namespace {

int parse_and_run(int argc, char** argv) {
  CLI::App app{"MPI-parallel copytool and bulk jobs for Lustre HSM", "lhsmtool_mpi"};
  app.require_subcommand(1);
  app.set_version_flag("-V,--version", version_text);
  app.set_help_all_flag("--help-all", "Show the options of all commands");
  CLI::App& serve_app = *app.add_subcommand("serve", "Serve a file system as its copytool until stopped");
  ServeOptions options;
  RawServeOptions raw;
  add_serve_options(serve_app, options, raw, Service::live);
  ScanCommand scan_command;
  const CLI::App& scan_app = add_scan_command(app, scan_command);
  JobCommands jobs(app);
  StatusCommand status(app);
  ReportCommand report(app);
  PlanCommand plan(app);
  VerifyCommand verify(app);
  CheckCommand check(app);
  // Never parsed by CLI11, only shown: see run().
  app.add_subcommand("posix", "Take the command line of lhsmtool_posix, as a link of that name does");
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("lhsmtool_mpi: {}\nRun lhsmtool_mpi --help, or with a command's name before it.\n", error.what());
  });
  try {
    // CLI11 would only say that a command is missing.
    if (argc > 1 && argv[1][0] != '-' && app.get_subcommands([&](const CLI::App* known) { return known->check_name(argv[1]); }).empty())
      throw CLI::ValidationError(fmt::format("there is no command '{}'", argv[1]));
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool success = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    if (speaks_for_all()) app.exit(error);
    return success ? k_all_done : k_usage;
  }
  if (scan_app.parsed()) {
    scan_command.command_line = command_line_of(argc, argv);
    return run_scan(scan_command);
  }
  if (jobs.parsed()) return jobs.run(argc, argv);
  if (status.parsed()) return status.run();
  if (report.parsed()) return report.run();
  if (plan.parsed()) return plan.run();
  if (verify.parsed()) return verify.run();
  if (check.parsed()) return check.run();
  finish(options, raw);
  return serve(options);
}

}  // namespace

int run(int argc, char** argv) {
  try {
    const std::string program = argc > 0 ? argv[0] : "";
    if (is_posix_name(program)) return run_as_posix(program.substr(program.rfind('/') + 1), argc, argv);
    if (argc > 1 && std::string_view(argv[1]) == "posix") return run_as_posix("lhsmtool_mpi posix", argc - 1, argv + 1);
    return parse_and_run(argc, argv);
  } catch (const UsageError& error) {
    fmt::print(stderr, "lhsmtool_mpi: {}\n", error.what());
    return k_usage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "lhsmtool_mpi: {}\n", error.what());
    return k_run_failed;
  }
}

}  // namespace lhsm::cli
