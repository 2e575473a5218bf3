// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plan_command.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <map>

#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "rank_zero.hpp"
#include "standard_output.hpp"

namespace lhsm::cli {

using store::ItemAction;

namespace {

template <class T>
T must(Outcome<T> outcome) {
  if (!outcome) throw Fatal(outcome.error());
  return std::move(*outcome);
}

}  // namespace

PlanCommand::PlanCommand(CLI::App& app)
    : m_app(app.add_subcommand("plan", "Tell what a run of a job would do, and change nothing")) {
  m_app->add_option("JOB", m_manifest, "Manifest of the job, as scan makes it")->required()->type_name("");
  m_app->add_option("--action", m_options.action, "What is to be done with the files; without: what the job says")
      ->transform(CLI::Transformer(std::map<std::string, ItemAction>{{"restore", ItemAction::restore},
                                                                     {"archive", ItemAction::archive},
                                                                     {"release", ItemAction::release},
                                                                     {"remove", ItemAction::remove},
                                                                     {"import", ItemAction::import}})
                      .description(""))
      ->type_name("restore|archive|release|remove|import");
  m_app->add_option("--mount", m_mount, "Mount point of the file system: look at each file now, at the free space, OSTs and quotas")
      ->type_name("MNT");
  m_app
      ->add_option("-p,--hsm-root,--hsm_root", m_archive.root,
                   "Root directory of the archive: look for the objects of a restore or an import, and at the space for an archive")
      ->type_name("DIR");
  m_app->add_option("-F,--archive-format,--archive_format", m_archive.format, "Directory tree of the archive: v1 or v2")
      ->transform(CLI::Transformer(std::map<std::string, archive::TreeFormat>{{"v1", archive::TreeFormat::v1},
                                                                              {"v2", archive::TreeFormat::v2}})
                      .description(""))
      ->default_str("v1")
      ->type_name("v1|v2");
  m_app->add_option("-A,--archive", m_options.archives, "Archive id that the run would serve; may be repeated (none: all)")
      ->type_name("N")
      ->allow_extra_args(false);
  m_app->add_flag("--only-failed,--only_failed", m_only_failed,
                  "Suppose that what failed is tried again, too, as retry does");
  m_app->add_option("--rate-mb,--rate_mb", m_rate_mb, "Estimate the time at so many MiB a second")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  m_app
      ->add_option("--files-per-second,--files_per_second", m_files_per_second,
                   "Estimate the time at so many files a second")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  m_app->add_option("--threads", m_options.threads, "Threads that look at files and objects")
      ->check(CLI::Range(1U, 256U))
      ->capture_default_str()
      ->type_name("N");
  m_app->add_flag("--json", m_json, "As JSON");
}

int PlanCommand::run() const {
  if (!speaks_for_all()) return k_all_done;
  store::SeenJob job = must(store::look_at_job(m_manifest));
  bulk::ForecastOptions options = m_options;
  // 0 stands for all archives, as for a run.
  if (std::find(options.archives.begin(), options.archives.end(), 0U) != options.archives.end()) options.archives.clear();
  options.takes_up_failed = m_only_failed;
  // The manifest's FIDs would be other files there, or none.
  const ItemAction action = options.action != ItemAction::none ? options.action : bulk::action_of(m_manifest).value_or(ItemAction::none);
  if (action == ItemAction::import && !m_mount.empty())
    throw UsageError("a plan of an import looks at objects (--hsm-root) and at no file system: without --mount");
  std::unique_ptr<lustre::Client> client;
  if (!m_mount.empty()) client = must(lustre::open_client(m_mount));
  options.client = client.get();
  std::unique_ptr<archive::Backend> backend;
  if (!m_archive.root.empty()) {
    backend = must(archive::open_posix_backend(m_archive));
    options.object = [&backend](const Fid& fid) -> Outcome<bulk::ForecastOptions::Object> {
      LHSM_TRY_ASSIGN(const auto object, backend->open(fid));
      LHSM_TRY_ASSIGN(const timespec modified, object->modified());
      return bulk::ForecastOptions::Object{object->size(), modified.tv_sec};
    };
  }
  Plan plan;
  plan.manifest = m_manifest;
  plan.mount_point = m_mount;
  plan.objects_looked_for = backend != nullptr;
  plan.scanned_ns = job.manifest.attributes().created_ns;
  plan.forecast = must(bulk::forecast(job, m_manifest, options));
  find_room(plan, client.get());
  estimate(plan, job);
  print_answer(m_json ? as_json(plan) : as_text(plan));
  return is_clear(plan) ? k_all_done : k_some_failed;
}

void PlanCommand::find_room(Plan& plan, lustre::Client* client) const {
  const ItemAction action = plan.forecast.action;
  if (action != ItemAction::restore && action != ItemAction::archive) return;
  const bool is_restore = action == ItemAction::restore;
  const std::string& where = is_restore ? m_mount : m_archive.root;
  if (where.empty()) {
    plan.room_note = fmt::format("not looked at ({})", is_restore ? "--mount" : "--hsm-root");
    return;
  }
  struct statvfs system {};
  if (::statvfs(where.c_str(), &system) != 0) throw Fatal(errno_error("statvfs", where).value());
  const bulk::Amount& to_do = plan.forecast.to_do;
  plan.room =
      Room{where, system.f_bavail * system.f_frsize, system.f_favail, to_do.bytes, is_restore ? 0 : to_do.items};
  // A file system without a table of files has no such limit.
  if (system.f_files == 0) plan.room->files = ~std::uint64_t{0};
  plan.room_note =
      is_restore ? "of the whole file system; pools were not checked" : "of the whole file system; quotas were not checked";
  if (!is_restore || client == nullptr || to_do.items == 0) return;
  if (const auto osts = client->osts(); !osts)
    plan.osts_note = fmt::format("not known ({})", errno_name(osts.error().sys_errno));
  else if (osts->empty())
    plan.osts_note = "there are none";
  else
    plan.osts = bulk::judge_osts(*osts, plan.forecast);
  plan.quotas = bulk::ask_quotas(*client, plan.forecast);
}

void PlanCommand::estimate(Plan& plan, store::SeenJob& job) const {
  if (m_rate_mb > 0 || m_files_per_second > 0) {
    plan.rates.emplace();
    plan.rates->bytes_per_second = m_rate_mb * static_cast<double>(k_MiB);
    plan.rates->files_per_second = m_files_per_second;
  } else {
    const auto runs = bulk::runs_of(job);
    plan.rates = bulk::rates_of(runs, must(bulk::work_of(job, runs)), plan.forecast.action);
  }
  if (plan.rates) plan.seconds = bulk::seconds_for(plan.forecast.to_do, *plan.rates);
  if (!plan.seconds) {
    plan.time_note = "no estimate: no run of this action has done a file yet, and no --rate-mb or --files-per-second is given";
    return;
  }
  const bulk::Rates& rates = *plan.rates;
  std::string at;
  if (rates.bytes_per_second > 0) at = format_size(static_cast<std::uint64_t>(rates.bytes_per_second)) + "/s";
  if (rates.files_per_second > 0)
    at += fmt::format("{}{:.3g} files/s", at.empty() ? "" : " and ", rates.files_per_second);
  plan.time_note = rates.runs == 0
                       ? fmt::format("at {} as given", at)
                       : fmt::format("at {}, as in {} runs of this job that did {} files in {}", at, rates.runs,
                                     rates.files, format_duration(static_cast<std::uint64_t>(rates.seconds)));
  if (rates.bytes_per_second > 0 && rates.files_per_second > 0) plan.time_note += ", whichever takes longer";
  plan.time_note += "; what others ask for, tapes and the coordinator's limits are not reckoned with";
}

}  // namespace lhsm::cli
