// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "scan_options.hpp"

#include <CLI/CLI.hpp>
#include <chrono>

#include "log_options.hpp"

namespace lhsm::cli {

namespace {

/// An option that may be repeated; each text goes to `take`, whose error is one of usage.
template <class Take>
CLI::Option* add_condition(CLI::App& app, const std::string& names, const std::string& type, const std::string& help,
                           Take take) {
  const auto read = [take](const std::vector<std::string>& texts) {
    for (const std::string& text : texts)
      if (const auto taken = take(text); !taken)
        throw CLI::ValidationError(taken.error().operation + " '" + taken.error().subject + "'");
  };
  // Else an option would swallow the paths behind it.
  return app.add_option_function<std::vector<std::string>>(names, read, help)->type_name(type)->allow_extra_args(false);
}

/// Turn what a parser returns into a Status, with the value put into `list`.
template <class T>
auto into(std::vector<T>& list, Outcome<T> (*parse)(std::string_view)) {
  return [&list, parse](const std::string& text) -> Status {
    LHSM_TRY_ASSIGN(T value, parse(text));
    list.push_back(std::move(value));
    return {};
  };
}

/// Add the conditions; return their options.
std::vector<CLI::Option*> add_filters(CLI::App& app, ScanCommand& command, const std::string& archive_names) {
  scan::Filter& filter = command.options.filter;
  std::vector<CLI::Option*> options;
  const auto add = [&](const char* names, const char* type, const char* help, auto take) {
    options.push_back(add_condition(app, names, type, help, take));
  };
  add("--size", "[+-]N[kMGTP]", "Size in begun units; + more than, - less than",
      into(filter.sizes, scan::parse_size_condition));
  add("--mtime", "[+-]N[smhdwy]", "Whole units since the last change, days where none is said",
      into(filter.ages, scan::parse_age_condition));
  add("--user", "[!]NAME|UID", "Owner; of several one",
      [&filter](const std::string& text) { return scan::add_user(filter.users, text); });
  add("--group", "[!]NAME|GID", "Group; of several one",
      [&filter](const std::string& text) { return scan::add_group(filter.groups, text); });
  add("--projid", "[!]ID", "Project; of several one",
      [&filter](const std::string& text) { return scan::add_number(filter.projects, text); });
  add("--state", "[!]WORD",
      "HSM state: released, archived, exists, dirty, lost, norelease, noarchive, none; of several all",
      into(filter.states, scan::parse_state));
  add(archive_names.c_str(), "[!]N", "Archive id of the copy; of several one",
      [&filter](const std::string& text) { return scan::add_number(filter.archives, text); });
  add("--name", "GLOB", "Last part of the path; of several one", [&filter](const std::string& text) -> Status {
    filter.name_globs.push_back(text);
    return {};
  });
  add("--path", "GLOB", "Path below the mount point; of several one", [&filter](const std::string& text) -> Status {
    filter.path_globs.push_back(text);
    return {};
  });
  return options;
}

/// Add what a list is read by; return its options.
std::vector<CLI::Option*> add_list(CLI::App& app, ScanCommand& command) {
  return {app.add_option("--from-list,--from_list,--filelist", command.list,
                         "Take paths, FIDs or the coordinator's lines from a file (-: stdin)")
              ->type_name("FILE"),
          app.add_flag("-0,--null", command.nul_separated, "The list's entries end with a NUL, as find -print0 writes them")};
}

void add_threads(CLI::App& app, const std::string& names, ScanCommand& command) {
  app.add_option(names, command.options.threads, "Threads that look at files, on each rank")
      ->check(CLI::Range(1U, 256U))
      ->capture_default_str()
      ->type_name("N");
}

void add_keep_locks(CLI::App& app, const std::string& names, ScanCommand& command) {
  app.add_flag(names, command.options.keeps_locks,
               "Leave the mount its unused metadata locks; each file then takes three requests to its MDT instead of one");
}

}  // namespace

void check(ScanCommand& command) {
  if (!command.list.empty() && command.paths.size() > 1)
    throw CLI::ValidationError("--from-list takes one PATH, which says what file system it is");
  if (command.nul_separated && command.list.empty() && command.failed_list.empty())
    throw CLI::ValidationError("--null is about --from-list, and the list of what failed");
  command.options.keeps_failed = !command.failed_list.empty();
  command.options.filter.now_ns = wall_clock_ns();
}

std::vector<CLI::Option*> add_scan_options_of_job(CLI::App& app, ScanCommand& command) {
  std::vector<CLI::Option*> options = add_list(app, command);
  app.add_option("-o,--output", command.output, "The manifest that is made, or gone on with")->type_name("FILE");
  app.add_flag("--force", command.replace, "Make the manifest anew when there is one");
  // -A is which archive the job serves.
  const std::vector<CLI::Option*> filters = add_filters(app, command, "--of-archive,--of_archive");
  options.insert(options.end(), filters.begin(), filters.end());
  add_threads(app, "--scan-threads,--scan_threads", command);
  add_keep_locks(app, "--scan-keep-locks,--scan_keep_locks", command);
  app.add_option("--scan-failed,--scan_failed", command.failed_list,
                 "Write lines, directories and files that could not be looked at into this file")
      ->type_name("FILE");
  return options;
}

CLI::App& add_scan_command(CLI::App& app, ScanCommand& command) {
  CLI::App& scan_app = *app.add_subcommand("scan", "Write a manifest of the files below directories, or of a list");
  scan_app.add_option("PATH", command.paths, "Directories and files; with a list, any path of the file system")
      ->type_name("");
  add_list(scan_app, command);
  scan_app.add_option("-o,--output", command.output, "The manifest")->required()->type_name("FILE");
  scan_app.add_flag("--force", command.replace, "Replace a manifest that is there");
  add_filters(scan_app, command, "-A,--archive");
  add_threads(scan_app, "--threads", command);
  add_keep_locks(scan_app, "--keep-locks", command);
  scan_app.add_option("--failed", command.failed_list,
                      "Write lines, directories and files that could not be looked at into this file")
      ->type_name("FILE");
  scan_app.add_option_function<unsigned>("--progress", [&command](unsigned s) { command.progress = std::chrono::seconds(s); },
                                         "Seconds between lines of progress (0: none)")
      ->default_str("10")
      ->type_name("S");
  add_log_options(scan_app, command.log);
  scan_app.callback([&command] {
    if (command.paths.empty() && command.list.empty())
      throw CLI::ValidationError("a PATH is required, or --from-list");
    check(command);
  });
  return scan_app;
}

}  // namespace lhsm::cli
