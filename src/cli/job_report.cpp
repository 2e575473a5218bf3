// SPDX-License-Identifier: LGPL-2.1-or-later
#include "job_report.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/bulk/job_watcher.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"

namespace lhsm::cli {

using bulk::JobReport;
using store::ItemResult;

int exit_code_of(const JobReport& report, int stop_signal) {
  if (report.census.left() > 0) return stop_signal == SIGINT ? k_interrupted : k_work_left;
  return report.census.unsuccessful() > 0 ? k_some_failed : k_all_done;
}

std::string summary(const JobReport& report, store::ItemAction action, const std::string& manifest) {
  const auto& run = report.progress.totals;
  const bulk::Census& all = report.census;
  std::string text = fmt::format("{:<11} {} of {} items of {}\n", "Job:", bulk::to_string(action), all.items, manifest);
  const auto line = [&](ItemResult result) {
    const auto i = static_cast<std::size_t>(result);
    if (all.results.at(i) == 0) return;
    std::string name = std::string("  ") + std::string(bulk::to_string(result)) + ':';
    text += fmt::format("{:<11} {}", name, all.results.at(i));
    if (result != ItemResult::pending) text += fmt::format(", {} in this run", run.results.at(i));
    text += fmt::format(" ({})\n", format_size(all.result_bytes.at(i)));
  };
  for (std::size_t i = 1; i < store::k_item_results; ++i) line(static_cast<ItemResult>(i));
  line(ItemResult::pending);
  for (const auto& [sys_errno, count] : all.errnos)
    if (sys_errno != 0) text += fmt::format("  {} x {}\n", count, errno_name(sys_errno));
  for (const auto& [what, count] : report.progress.errors) text += fmt::format("  {} x {}\n", count, what);
  if (!report.progress.stopped_because.empty() && all.left() > 0)
    text += fmt::format("{:<11} {}\n", "Stopped:", report.progress.stopped_because);
  return text;
}

void print_progress(bulk::JobRun& run) {
  const auto progress = run.job().progress();
  const auto counts = bulk::counts_of(run, progress);
  say(stdout, "{}/{} items, {} in flight, {} failed\n", counts.final, counts.items, progress.inflight, counts.unsuccessful);
  std::fflush(stdout);
}

}  // namespace lhsm::cli
