// SPDX-License-Identifier: LGPL-2.1-or-later
#include "job_command.hpp"

#include <pwd.h>
#include <unistd.h>

#include <fmt/format.h>

namespace lhsm::cli {

using store::ItemAction;

namespace {

std::string user_name() {
  if (const passwd* const entry = ::getpwuid(::geteuid()); entry != nullptr) return entry->pw_name;
  return fmt::format("{}", ::geteuid());
}

std::string command_line_of(int argc, char** argv) {
  std::string text;
  for (int i = 0; i < argc; ++i) text += (i > 0 ? " " : "") + std::string(argv[i]);
  return text;
}

}  // namespace

JobCommands::JobCommands(CLI::App& app) {
  add(app, "restore", "Restore the released files of a manifest, with an end and an exit code", ItemAction::restore);
  add(app, "archive", "Archive the files of a manifest", ItemAction::archive);
  add(app, "release", "Release the archived files of a manifest", ItemAction::release);
  add(app, "remove", "Remove the files of a manifest from the archive", ItemAction::remove);
  add(app, "retry", "Try again what failed in a job, and go on with it", ItemAction::none);
}

void JobCommands::add(CLI::App& app, const std::string& name, const std::string& help, ItemAction action) {
  CLI::App& command = *app.add_subcommand(name, help);
  command.add_option("JOB", m_options.run.manifest, "Manifest of the job, as scan makes it")->required()->type_name("");
  command.add_option("MNT", m_options.serve.mount_point, "Mount point of the Lustre file system")->required()->type_name("");
  if (action != ItemAction::release) {
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
    command.add_flag_callback("-v,--verbose", [this] { ++m_raw.verbosity; }, "Log more; may be repeated")->trigger_on_parse();
    command.add_flag_callback("-q,--quiet", [this] { --m_raw.verbosity; }, "Log less; may be repeated")->trigger_on_parse();
    command.add_option_function<unsigned>(
               "--progress", [this](unsigned s) { m_options.serve.progress = std::chrono::seconds(s); },
               "Seconds between lines of progress (0: none)")
        ->default_str("10")
        ->type_name("S");
  }
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
  m_commands.push_back({&command, action});
}

bool JobCommands::parsed() const {
  return std::any_of(m_commands.begin(), m_commands.end(), [](const Command& command) { return command.app->parsed(); });
}

int JobCommands::run(int argc, char** argv) {
  const auto command =
      std::find_if(m_commands.begin(), m_commands.end(), [](const Command& c) { return c.app->parsed(); });
  finish(m_options.serve, m_raw);
  m_options.run.action = command->action;
  m_options.run.job.deadline.stop_at = stop_time(m_deadline, m_options.serve.drain_timeout);
  if (m_only_failed || command->action == ItemAction::none) m_options.run.selection = bulk::Selection::pending_and_failed;
  m_options.run.user = user_name();
  m_options.run.command_line = command_line_of(argc, argv);
  // An archive request of several archives, or of none, leaves it to the file or the coordinator which it is.
  if (m_options.serve.archive_ids.size() == 1) m_options.run.asker.archive_id = m_options.serve.archive_ids.front();
  const bool serves = command->action != ItemAction::release && !m_options.submit_only;
  if (serves && m_options.serve.archive.root.empty())
    throw UsageError("--hsm-root is missing: where the archive is (or --submit-only, where other copytools serve)");
  return run_job(m_options);
}

}  // namespace lhsm::cli
