// SPDX-License-Identifier: LGPL-2.1-or-later
#include "status_command.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/bulk/job_manifest.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "rank_zero.hpp"

namespace lhsm::cli {

namespace {

using bulk::Census;
using store::RunRecord;

std::string iso_time(std::int64_t ns) {
  if (ns == 0) return "";
  const auto seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

nlohmann::json as_json(const std::string& manifest, const Census& census, const std::vector<RunRecord>& runs) {
  nlohmann::json json{{"manifest", manifest},
                      {"action", bulk::to_string(bulk::action_of(census))},
                      {"items", census.items},
                      {"bytes", census.bytes}};
  for (std::size_t i = 0; i < store::k_item_results; ++i) {
    const std::string name(bulk::to_string(static_cast<store::ItemResult>(i)));
    json["results"][name] = {{"items", census.results.at(i)}, {"bytes", census.result_bytes.at(i)}};
  }
  json["errors"] = nlohmann::json::object();
  for (const auto& [sys_errno, count] : census.errnos)
    if (sys_errno != 0) json["errors"][errno_name(sys_errno)] = count;
  json["runs"] = nlohmann::json::array();
  for (const RunRecord& run : runs)
    json["runs"].push_back({{"user", run.user},
                            {"command_line", run.command_line},
                            {"hosts", run.hosts},
                            {"ranks", run.ranks},
                            {"begin", iso_time(run.begin_ns)},
                            {"end", iso_time(run.end_ns)},
                            {"exit_code", run.exit_code},
                            {"bytes_copied", run.totals.bytes_copied}});
  return json;
}

void print_text(const std::string& manifest, const Census& census, const std::vector<RunRecord>& runs) {
  fmt::print("{}: {} {} items, {}\n", manifest, bulk::to_string(bulk::action_of(census)), census.items, format_size(census.bytes));
  for (std::size_t i = 0; i < store::k_item_results; ++i)
    if (census.results.at(i) > 0)
      fmt::print("  {:<10} {:>12}  {}\n", bulk::to_string(static_cast<store::ItemResult>(i)), census.results.at(i),
                 format_size(census.result_bytes.at(i)));
  for (const auto& [sys_errno, count] : census.errnos)
    if (sys_errno != 0) fmt::print("  {:<10} {:>12}\n", errno_name(sys_errno), count);
  for (const RunRecord& run : runs)
    fmt::print("run {} to {}, {} ranks, {}: {}\n", iso_time(run.begin_ns), run.end_ns == 0 ? "?" : iso_time(run.end_ns),
               run.ranks, run.end_ns == 0 ? "no end was recorded" : fmt::format("exit {}", run.exit_code), run.command_line);
}

}  // namespace

StatusCommand::StatusCommand(CLI::App& app) : m_app(app.add_subcommand("status", "Show how a job stands, also while it runs")) {
  m_app->add_option("JOB", m_manifest, "Manifest of the job")->required()->type_name("");
  m_app->add_flag("--json", m_json, "As JSON");
}

int StatusCommand::run() const {
  if (!speaks_for_all()) return k_all_done;
  auto seen = store::look_at_job(m_manifest);
  if (!seen) throw Fatal(seen.error());
  const auto census = bulk::take_census(seen->manifest, seen->state);
  if (!census) throw Fatal(census.error());
  std::vector<RunRecord> runs = seen->manifest.runs();
  runs.insert(runs.end(), seen->state.runs().begin(), seen->state.runs().end());
  if (m_json)
    fmt::print("{}\n", as_json(m_manifest, *census, runs).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  else
    print_text(m_manifest, *census, runs);
  return k_all_done;
}

}  // namespace lhsm::cli
