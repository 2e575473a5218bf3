// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/commands.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <tuple>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/process_identity.hpp"
#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/scan.hpp"
#include "lhsmtool_mpi/cli/serve.hpp"
#include "lhsmtool_mpi/comm/mpi_session.hpp"
#include "check_command.hpp"
#include "completion_command.hpp"
#include "config_options.hpp"
#include "job_command.hpp"
#include "plan_command.hpp"
#include "posix_main.hpp"
#include "rank_zero.hpp"
#include "report_command.hpp"
#include "scan_options.hpp"
#include "serve_options.hpp"
#include "status_command.hpp"
#include "surroundings.hpp"
#include "verify_command.hpp"

namespace lhsm::cli {

namespace {

/// Whether a node's file or environment may be to blame, which rank 0 cannot know of.
bool may_differ_on_nodes(const CLI::ParseError& error) {
  return dynamic_cast<const CLI::ConfigError*>(&error) != nullptr || dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
}

/// Each copy has some descriptors open: as many as the administrator allows, not as a shell does by default. And a file that may not grow
/// (ulimit -f) is an error of its own, not the end of us.
void prepare_limits() {
  constexpr rlim_t k_enough = 65'536;  // launchers go through all that there could be
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < std::min(limit.rlim_max, k_enough)) {
    limit.rlim_cur = std::min(limit.rlim_max, k_enough);
    std::ignore = ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  std::ignore = std::signal(SIGXFSZ, SIG_IGN);
}

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
  const CompletionCommand completion(app);
  Configuration configuration(app);  // the last, as it has the options of all commands
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
    if (speaks_for_all())
      app.exit(error);
    else if (speaks_for_its_node() && may_differ_on_nodes(error))
      say(stderr, "lhsmtool_mpi on {}: {}\n", host_name(), error.what());
    if (!success) comm::end_waiting_ranks(k_usage);
    return success ? k_all_done : k_usage;
  }
  if (scan_app.parsed()) {
    scan_command.command_line = configuration.command_line(argc, argv);
    scan_command.agreed = configuration.agreed();
    return run_scan(scan_command);
  }
  if (jobs.parsed()) return jobs.run(configuration.command_line(argc, argv), configuration.agreed());
  if (status.parsed()) return status.run();
  if (report.parsed()) return report.run();
  if (plan.parsed()) return plan.run();
  if (verify.parsed()) return verify.run(configuration.agreed());
  if (check.parsed()) return check.run();
  if (completion.parsed()) return completion.run();
  if (!serve_app.parsed()) throw UsageError("posix takes the command line of lhsmtool_posix, and nothing before it");
  finish(options, raw);
  options.agreed = configuration.agreed();
  return serve(options);
}

}  // namespace

int run(int argc, char** argv) {
  prepare_limits();
  try {
    const std::string program = argc > 0 ? argv[0] : "";
    if (is_posix_name(program)) return run_as_posix(program.substr(program.rfind('/') + 1), argc, argv);
    if (argc > 1 && std::string_view(argv[1]) == "posix") return run_as_posix("lhsmtool_mpi posix", argc - 1, argv + 1);
    return parse_and_run(argc, argv);
  } catch (const UsageError& error) {
    say(stderr, "lhsmtool_mpi: {}\n", error.what());
    comm::end_waiting_ranks(k_usage);  // their environment, or file, may be another one
    return k_usage;
  } catch (const std::exception& error) {
    say(stderr, "lhsmtool_mpi: {}\n", error.what());
    return k_run_failed;
  }
}

}  // namespace lhsm::cli
