// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/commands.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/scan.hpp"
#include "lhsmtool_mpi/cli/serve.hpp"
#include "lhsmtool_mpi/comm/mpi_session.hpp"
#include "posix_main.hpp"
#include "rank_zero.hpp"
#include "scan_options.hpp"

namespace lhsm::cli {

namespace {

/// Sizes as lhsmtool_posix reads them where it has the option (a bare number counts MiB), else bytes.
template <class T>
CLI::Option* add_size(CLI::App& app, const std::string& names, T& value, const std::string& help,
                      std::uint64_t bare_unit = 1, std::uint64_t most = ~std::uint64_t{0}) {
  const auto read = [&value, bare_unit, most](const std::string& text) {
    const auto size = parse_size(text, bare_unit);
    if (!size || *size == 0) throw CLI::ValidationError("'" + text + "' is not a size such as 64M or 1.5G");
    if (*size > most) throw CLI::ValidationError("'" + text + "' is more than " + format_size(most));
    value = static_cast<T>(*size);
  };
  return app.add_option_function<std::string>(names, read, help)->default_str(format_size(value))->type_name("SIZE");
}

void add_seconds(CLI::App& app, const std::string& names, std::chrono::seconds& value, const std::string& standard,
                 const std::string& help) {
  app.add_option_function<unsigned>(names, [&value](unsigned s) { value = std::chrono::seconds(s); }, help)
      ->default_str(standard)
      ->check(CLI::Range(1U, 86400U))
      ->type_name("S");
}

void add_serve_options(CLI::App& app, ServeOptions& options, int& verbosity, double& update_interval) {
  app.add_option("MNT", options.mount_point, "Mount point of the Lustre file system")->required()->type_name("");
  app.add_option("-p,--hsm-root,--hsm_root", options.archive.root, "Root directory of the archive")
      ->required()
      ->type_name("DIR");
  app.add_option("-A,--archive", options.archive_ids, "Archive id to serve; may be repeated (none, or 0: all)")
      ->type_name("N")
      ->allow_extra_args(false);  // else it would swallow the mount point
  app.add_option("-F,--archive-format,--archive_format", options.archive.format, "Directory tree of the archive: v1 or v2")
      ->transform(CLI::Transformer(std::map<std::string, archive::TreeFormat>{
          {"v1", archive::TreeFormat::v1}, {"v2", archive::TreeFormat::v2}}).description(""))
      ->default_str("v1")
      ->type_name("v1|v2");
  add_size(app, "-c,--chunk-size,--chunk_size", options.copy.buffer_bytes, "Bytes per read and write", k_MiB,
           k_GiB);
  add_size(app, "-b,--bandwidth", options.bandwidth_bytes_per_second,
           "Bytes per second that all ranks together may read; a bare number counts MiB", k_MiB)
      ->default_str("no limit");
  app.add_option("--control", options.control_file,
                 "File that is read again when it changes; its line bandwidth=SIZE replaces -b")
      ->type_name("FILE");
  app.add_option("-u,--update-interval,--update_interval", update_interval,
                 "Seconds between reports of progress to the coordinator")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str()
      ->type_name("S");
  app.add_option("--slots", options.slots, "Copies at once on each rank")
      ->check(CLI::Range(1U, 1024U))
      ->capture_default_str()
      ->type_name("N");
  add_size(app, "--stripe-threshold,--stripe_threshold", options.copy.stripe_threshold,
           "Files of this size and over are copied by several ranks");
  add_size(app, "--extent-size,--extent_size", options.scheduler.extent_bytes,
           "Longest piece of such a file that one slot copies at a time");
  app.add_flag_callback("--direct", [&options] {
       options.copy.direct = options.archive.direct = copy::Direct::yes;
     }, "Go round the page cache (O_DIRECT)");
  app.add_flag_callback("--no-attr,--no_attr", [&options] { options.copy.keep_attributes = false; },
                        "Do not keep owner, mode and times in the archive");
  app.add_flag_callback("--no-xattr,--no_xattr", [&options] { options.copy.keep_xattrs = false; },
                        "Do not keep extended attributes in the archive");
  app.add_flag_callback("--no-shadow,--no_shadow", [&options] { options.copy.keep_shadow = false; },
                        "Do not keep links by path in the archive");
  app.add_option_function<unsigned>("--progress", [&options](unsigned s) { options.progress = std::chrono::seconds(s); },
                                    "Seconds between lines of progress (0: none)")
      ->default_str("10")
      ->type_name("S");
  app.add_option_function<unsigned>(
         "--drain-timeout,--drain_timeout",
         [&options](unsigned s) { options.drain_timeout = std::chrono::seconds(s); },
         "Seconds that running copies may take to finish after a signal to stop")
      ->default_str("60")
      ->type_name("S");
  add_seconds(app, "--renew-interval,--renew_interval", options.renew_interval, "60",
              "Seconds without a message after which the registration is renewed");
  add_seconds(app, "--keep-alive,--keep_alive", options.keep_alive, "600",
              "Seconds between signs of life to the coordinator for actions that wait here");
  app.add_option("-f,--event-fifo,--event_fifo", options.event_fifo, "Write events as lines of JSON into this fifo")
      ->type_name("FILE");
  app.add_option("-P,--pid-file,--pid_file", options.pid_file, "Lock this file and write rank 0's process id into it")
      ->type_name("FILE");
  app.add_flag("--abort-on-error,--abort_on_error", options.abort_on_error, "Stop at the first file that fails");
  app.add_flag_callback("-v,--verbose", [&verbosity] { ++verbosity; }, "Log more; may be repeated")->trigger_on_parse();
  app.add_flag_callback("-q,--quiet", [&verbosity] { --verbosity; }, "Log less; may be repeated")->trigger_on_parse();
}

log::Level level_of(int verbosity) {
  if (verbosity > 0) return log::Level::debug;
  if (verbosity == 0) return log::Level::info;
  return verbosity == -1 ? log::Level::warning : log::Level::error;
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"MPI-parallel copytool for Lustre HSM", "lhsmtool_mpi"};
  app.require_subcommand(1);
  app.set_version_flag("-V,--version", version_text);
  app.set_help_all_flag("--help-all", "Show the options of all commands");
  CLI::App& serve_app = *app.add_subcommand("serve", "Serve a file system as its copytool until stopped");
  ScanCommand scan_command;
  const CLI::App& scan_app = add_scan_command(app, scan_command);
  // Never parsed by CLI11, only shown: see run().
  app.add_subcommand("posix", "Take the command line of lhsmtool_posix, as a link of that name does");
  ServeOptions options;
  int verbosity = 0;
  double update_interval = 30;
  add_serve_options(serve_app, options, verbosity, update_interval);
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
  if (scan_app.parsed()) return run_scan(scan_command);
  options.copy.update_interval = std::chrono::milliseconds(static_cast<std::int64_t>(update_interval * 1000));
  options.log_level = level_of(verbosity);
  // 0 stands for all archives, whatever else is asked for.
  if (std::find(options.archive_ids.begin(), options.archive_ids.end(), 0U) != options.archive_ids.end())
    options.archive_ids.clear();
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
