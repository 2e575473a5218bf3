// SPDX-License-Identifier: LGPL-2.1-or-later
#include "job_command.hpp"

#include <pwd.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "job_options.hpp"
#include "job_plan.hpp"
#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/bulk/failed_list.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "process.hpp"
#include "run_files.hpp"
#include "scan_options.hpp"
#include "watch_options.hpp"

namespace lhsm::cli {

using store::ItemAction;

namespace {

std::string user_name() {
  if (const passwd* const entry = ::getpwuid(::geteuid()); entry != nullptr) return entry->pw_name;
  return fmt::format("{}", ::geteuid());
}

/// The words of the options that were given.
std::vector<std::string> given(const std::vector<CLI::Option*>& options) {
  std::vector<std::string> words;
  for (const CLI::Option* const option : options)
    for (const std::string& result : option->results()) {
      words.push_back(option->get_name());
      if (option->get_items_expected() > 0) words.push_back(result);
    }
  return words;
}

/// Of what a scan and a job came to, that which the caller must know first.
int worst(int a, int b) {
  const auto badness = [](int code) {
    constexpr std::array k_order{k_all_done, k_some_failed, k_work_left, k_interrupted, k_run_failed};
    return std::find(k_order.begin(), k_order.end(), code) - k_order.begin();
  };
  return badness(a) > badness(b) ? a : b;
}

/// Return what is wrong when files are to be taken by the place of their objects, and nothing tells that. `manifest`: empty for
/// one that is still to be made.
std::string missing_location(const bulk::OrderOptions& order, const std::string& manifest) {
  if (order.order != bulk::Order::archive_location || !order.location.command.empty()) return {};
  if (!manifest.empty()) {
    const auto reader = store::ManifestReader::open(manifest);
    if (!reader || !reader->volumes().empty()) return {};  // why not, is said by the job
  }
  return "--order archive-location needs --location-command: the manifest names no volumes";
}

/// The same command does not try again what an earlier run gave up.
int run_and_tell(const JobCommandOptions& options, Process& process) {
  const int code = run_job(options, process);
  if (code == k_some_failed)
    say(stdout, "{:<11} what failed or was refused is taken up again by lhsmtool_mpi retry, or with --only-failed\n", "Next:");
  return code;
}

}  // namespace

JobCommands::JobCommands(CLI::App& app) {
  add(app, "restore", "Restore the released files of a manifest, with an end and an exit code", ItemAction::restore);
  add(app, "archive", "Archive the files of a manifest", ItemAction::archive);
  add(app, "release", "Release the archived files of a manifest", ItemAction::release);
  add(app, "remove", "Remove the files of a manifest from the archive", ItemAction::remove);
  add(app, "import", "Make the files of a manifest, with their objects, in a new file system", ItemAction::import);
  add(app, "retry", "Try again what failed in a job, and go on with it", ItemAction::none);
}

void JobCommands::add(CLI::App& app, const std::string& name, const std::string& help, ItemAction action) {
  CLI::App& command = *app.add_subcommand(name, help);
  std::vector<CLI::Option*> conditions;
  // The files of an import are in another file system than the paths that could be scanned.
  if (action == ItemAction::none || action == ItemAction::import) {
    command.add_option("JOB", m_options.run.manifest, "Manifest of the job")->required()->type_name("");
    command.add_option("MNT", m_options.serve.mount_point,
                       action == ItemAction::import ? "Mount point of the new file system" : "Mount point of the Lustre file system")
        ->required()
        ->type_name("");
  } else {
    command.add_option("TARGET", m_targets, "A manifest and the mount point; or directories and files, which are scanned first (the mount point may follow)")
        ->type_name("");
    conditions = add_scan_options_of_job(command, m_scan);
  }
  add_job_options(command, action);
  m_commands.push_back({&command, action, conditions});
}

/// Where the objects are. A retry has the rest of these as a copytool.
void JobCommands::add_import_options(CLI::App& command, ItemAction action) {
  const std::map<std::string, archive::TreeFormat> formats{{"v1", archive::TreeFormat::v1}, {"v2", archive::TreeFormat::v2}};
  if (action == ItemAction::import) {
    command.add_option("-p,--hsm-root,--hsm_root", m_options.serve.archive.root, "Root directory of the new file system's archive")
        ->type_name("DIR");
    command.add_option("-A,--archive", m_options.serve.archive_ids, "Archive id that the new files have")
        ->type_name("N")
        ->allow_extra_args(false);
    command.add_option("-F,--archive-format,--archive_format", m_options.serve.archive.format,
                       "Directory tree of the archive: v1 or v2")
        ->transform(CLI::Transformer(formats).description(""))
        ->default_str("v1")
        ->type_name("v1|v2");
  }
  command.add_option("--from-root,--from_root", m_options.from_root,
                     "Of an import: root directory of the old file system's archive, on the same file system")
      ->default_str("--hsm-root")
      ->type_name("DIR");
  command.add_option_function<std::string>(
             "--from-format,--from_format",
             [this, formats](const std::string& name) {
               const auto found = formats.find(name);
               if (found == formats.end()) throw CLI::ValidationError("--from-format", "'" + name + "' is none of v1|v2");
               m_options.from_format = found->second;
             },
             "Of an import: directory tree of that archive")
      ->default_str("-F")
      ->type_name("v1|v2");
}

void JobCommands::add_job_options(CLI::App& command, ItemAction action) {
  if (action == ItemAction::import || action == ItemAction::none) add_import_options(command, action);
  if (!bulk::is_done_by_ranks(action)) {
    add_serve_options(command, m_options.serve, m_raw, Service::job);
    command.add_flag("--submit-only,--submit_only", m_options.submit_only,
                     "Only ask, and wait for the site's own copytools");
    command.add_option("--max-inflight,--max_inflight", m_options.run.job.max_inflight,
                       "Most requests at the coordinator at once")
        ->check(CLI::Range(1U, 1'000'000U))
        ->capture_default_str()
        ->type_name("N");
    command.add_option_function<unsigned>(
               "--look-after,--look_after", [this](unsigned s) { m_options.run.asker.look_after = std::chrono::seconds(s); },
               "Seconds after which a request is looked after of which nothing was heard")
        ->default_str("30")
        ->check(CLI::Range(1U, 86400U))
        ->type_name("S");
    command.add_option("--reserve", m_options.serve.scheduler.reserved_slots,
                       "Slots of each rank that the job leaves free for others' requests")
        ->capture_default_str()
        ->type_name("N");
  } else {
    command.add_option("--control", m_options.serve.control_file,
                       "File that is read again when it changes; its lines max-files-per-second and limit-action hold")
        ->type_name("FILE");
    command.add_option_function<unsigned>(
               "--progress", [this](unsigned s) { m_options.serve.progress = std::chrono::seconds(s); },
               "Seconds between lines of progress (0: none)")
        ->default_str("10")
        ->type_name("S");
    add_watch_options(command, m_options.serve);
  }
  if (action == ItemAction::import)
    add_limit_options(command, m_options.run);
  else
    add_order_options(command, m_options.run, action);
  add_deadline_options(command, m_deadline);
  command.add_option("--attempts", m_options.run.job.attempts, "Attempts of a file before it is given up")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--abort-after,--abort_after", m_options.run.job.failures.abort_after,
                     "Stop when more than so many of the last 100 attempts failed (100: never)")
      ->check(CLI::Range(1U, 100U))
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--failed", m_options.run.failed_list,
                     "Write what failed into this file: .csv, .json, or a list that can be read again")
      ->type_name("FILE");
  if (action != ItemAction::none)
    command.add_flag("--only-failed,--only_failed", m_only_failed, "Try again what failed, too, as retry does");
}

bool JobCommands::parsed() const {
  return std::any_of(m_commands.begin(), m_commands.end(), [](const Command& command) { return command.app->parsed(); });
}

int JobCommands::run(const std::string& command_line, const std::string& agreed) {
  const auto command =
      std::find_if(m_commands.begin(), m_commands.end(), [](const Command& c) { return c.app->parsed(); });
  finish(m_options.serve, m_raw);
  m_options.run.action = command->action;
  m_options.run.job.deadline.stop_at = stop_time(m_deadline, m_options.serve.drain_timeout);
  m_options.run.takes_up_failed = m_only_failed || command->action == ItemAction::none;
  m_options.serve.command = command->app->get_name();
  m_options.run.user = user_name();
  m_options.run.command_line = command_line;
  m_options.serve.agreed = agreed;
  m_scan.agreed = agreed;
  m_options.run.asker.archives = m_options.serve.archive_ids;
  if (command->action != ItemAction::none) check_root();
  if (command->action == ItemAction::import) check_import();
  m_options.serve.writes_archive = command->action == ItemAction::archive || command->action == ItemAction::remove;
  // As a copytool several are served. But a request names one, and where none is named the coordinator takes its default.
  if (command->action == ItemAction::archive && m_options.serve.archive_ids.size() > 1)
    throw UsageError("an archive goes into one archive: -A N, once");
  check_order(m_options.run.order);
  m_options.run.order.object_path = [archive = m_options.serve.archive](const Fid& fid) {
    return archive.root + '/' + archive::object_path(archive.format, fid);
  };
  try {
    check(m_scan);
  } catch (const CLI::ValidationError& error) {
    throw UsageError(error.what());
  }
  m_scan.progress = m_options.serve.progress;
  Process process(m_options.serve.log);
  return process.run([&] { return carry_out(*command, process); });
}

/// Throws UsageError when a copytool is needed and it is not said where its archive is.
void JobCommands::check_root() const {
  const bool serves = !bulk::is_done_by_ranks(m_options.run.action) && !m_options.submit_only;
  if (serves && m_options.serve.archive.root.empty())
    throw UsageError("--hsm-root is missing: where the archive is (or --submit-only, where other copytools serve)");
}

/// Throws UsageError when it is not said where objects go, and what archive that is.
void JobCommands::check_import() const {
  if (m_options.serve.archive.root.empty()) throw UsageError("--hsm-root is missing: the archive of the new file system");
  if (m_options.serve.archive_ids.size() != 1) throw UsageError("an import wants one archive id: -A N");
}

/// Go on with a job of whatever action, which only rank 0 need be able to see.
int JobCommands::retry(Process& process) {
  Outcome<ItemAction> action = ItemAction::none;
  if (process.is_first()) action = bulk::action_of(m_options.run.manifest);
  const std::string missing = process.is_first() ? missing_location(m_options.run.order, m_options.run.manifest) : "";
  const std::string known = process.share(action && missing.empty() ? std::string(bulk::to_string(*action)) : "");
  if (!missing.empty()) throw UsageError(missing);
  if (!action) throw Fatal(action.error());
  if (known.empty()) return k_all_done;  // rank 0 says why
  for (const ItemAction by_ranks : {ItemAction::release, ItemAction::import})
    if (known == bulk::to_string(by_ranks)) m_options.run.action = by_ranks;
  if (m_options.run.action == ItemAction::import) check_import();
  m_options.serve.writes_archive = known == bulk::to_string(ItemAction::archive) || known == bulk::to_string(ItemAction::remove);
  check_root();
  return run_and_tell(m_options, process);
}

int JobCommands::carry_out(const Command& command, Process& process) {
  // A rank whose file or environment says otherwise must come so far that rank 0 hears from it, and refuses it.
  m_options.submit_only = !process.share(m_options.submit_only ? "yes" : "").empty();
  if (command.action == ItemAction::none) return retry(process);
  if (command.action == ItemAction::import) return run_and_tell(m_options, process);
  JobPlan plan;
  if (process.is_first()) {
    plan = plan_job(command.app->get_name(), m_targets, given(command.conditions), m_scan);
    if (plan.code == 0) {
      plan.failure = missing_location(m_options.run.order, plan.scans ? "" : plan.manifest);
      if (!plan.failure.empty()) plan.code = k_usage;
    }
    if (plan.code == 0 && plan.scans && !m_options.run.failed_list.empty()) {
      if (const Status tried = bulk::try_failed_list(m_options.run.failed_list, plan.manifest); !tried) {
        plan.code = k_run_failed;
        plan.failure = tried.error().describe();
      }
    }
  }
  plan = JobPlan::unpack(process.share(plan.pack()));
  if (plan.code != 0) {
    if (!process.is_first()) return k_all_done;  // one rank speaks for all
    if (plan.code == k_usage) throw UsageError(plan.failure);
    throw Fatal(plan.failure);
  }
  int scan_code = plan.scan_code;
  if (plan.scans) {
    // Rank 0 has worked out what is to be scanned, and gives it out; the others only find the file system by these.
    if (!process.is_first()) m_scan.paths = m_targets;
    m_scan.output = plan.manifest;
    ScanResult scanned;
    std::optional<Fatal> failed;
    try {
      scanned = run_scan(m_scan, process);
    } catch (const Fatal& error) {
      failed = error;
    }
    const bool goes_on = !failed && scanned.is_complete && scanned.stop_signal == 0;
    const std::string agreed = process.share(goes_on ? "go on" : "");
    if (failed) throw *failed;
    if (agreed.empty()) {
      if (!scanned.is_complete || !process.is_first()) return scanned.code;
      return scanned.stop_signal == SIGINT ? k_interrupted : k_work_left;  // the manifest is there, the job not begun
    }
    scan_code = scanned.code;
  } else if (process.is_first() && !m_targets.empty() && plan.manifest != m_targets.front()) {
    say(stdout, "{} is there and gone on with; nothing is scanned\n", plan.manifest);
  }
  m_options.run.manifest = plan.manifest;
  m_options.serve.mount_point = plan.mount_point;
  const int code = run_and_tell(m_options, process);
  return process.is_first() ? worst(scan_code, code) : code;  // one rank speaks for all
}

}  // namespace lhsm::cli
