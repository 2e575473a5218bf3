// SPDX-License-Identifier: LGPL-2.1-or-later
#include "status_command.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/bulk/forecast.hpp"
#include "lhsmtool_mpi/bulk/job_manifest.hpp"
#include "lhsmtool_mpi/bulk/run_work.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "live_status.hpp"
#include "rank_zero.hpp"
#include "standard_output.hpp"

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

/// What is done of large archives that are pending: the next run goes on from there.
std::uint64_t bytes_in_part(const store::JournalState& state) {
  std::uint64_t bytes = 0;
  for (const auto& [row, file] : state.partial_files())
    for (const store::ExtentRecord& extent : file.extents) bytes += extent.extent.length;
  return bytes;
}

nlohmann::json as_json(const std::string& manifest, const Census& census, const std::vector<RunRecord>& runs,
                       std::uint64_t in_part, bool is_running) {
  nlohmann::json json{{"manifest", manifest},
                      {"running", is_running},
                      {"action", bulk::to_string(bulk::action_of(census))},
                      {"items", census.items},
                      {"bytes", census.bytes},
                      {"bytes_in_part", in_part}};
  for (std::size_t i = 0; i < store::k_item_results; ++i) {
    const std::string name(bulk::to_string(static_cast<store::ItemResult>(i)));
    json["results"][name] = {{"items", census.results.at(i)}, {"bytes", census.result_bytes.at(i)}};
  }
  json["errors"] = nlohmann::json::object();
  for (const auto& [sys_errno, count] : census.errnos)
    if (sys_errno != 0) json["errors"][errno_name(sys_errno)] = count;
  json["runs"] = nlohmann::json::array();
  for (const RunRecord& run : runs) {
    nlohmann::json record{{"user", run.user},
                          {"command_line", run.command_line},
                          {"hosts", run.hosts},
                          {"ranks", run.ranks},
                          {"begin", iso_time(run.begin_ns)},
                          {"end", nullptr},
                          {"exit_code", nullptr},
                          {"bytes_copied", nullptr}};
    if (run.end_ns != 0) {
      record["end"] = iso_time(run.end_ns);
      record["exit_code"] = run.exit_code;
      record["bytes_copied"] = run.totals.bytes_copied;
    }
    json["runs"].push_back(std::move(record));
  }
  return json;
}

/// How a run came to its end, or that it did not: where nobody works on the job it was killed.
std::string end_of(const RunRecord& run, bool goes_on) {
  if (run.end_ns != 0) return fmt::format("exit {}", run.exit_code);
  return goes_on ? "goes on" : "no end was recorded: killed, or cut off";
}

void print_text(const std::string& manifest, const Census& census, const std::vector<RunRecord>& runs,
                std::uint64_t in_part, bool is_running) {
  say(stdout, "{}: {} {} items, {}{}\n", manifest, bulk::to_string(bulk::action_of(census)), census.items,
             format_size(census.bytes), is_running ? ", running" : "");
  for (std::size_t i = 0; i < store::k_item_results; ++i)
    if (census.results.at(i) > 0)
      say(stdout, "  {:<10} {:>12}  {}\n", bulk::to_string(static_cast<store::ItemResult>(i)), census.results.at(i),
                 format_size(census.result_bytes.at(i)));
  if (in_part > 0) say(stdout, "  of large files that are pending {} are copied\n", format_size(in_part));
  for (const auto& [sys_errno, count] : census.errnos)
    if (sys_errno != 0) say(stdout, "  {:<10} {:>12}\n", errno_name(sys_errno), count);
  for (const RunRecord& run : runs) {
    const bool goes_on = is_running && &run == &runs.back() && run.end_ns == 0;
    say(stdout, "run {} to {}, {} ranks on {}, {}: {}\n", iso_time(run.begin_ns),
               run.end_ns != 0 ? iso_time(run.end_ns) : goes_on ? "now" : "?", run.ranks, run.hosts.empty() ? "?" : run.hosts,
               end_of(run, goes_on), run.command_line);
  }
}

}  // namespace

StatusCommand::StatusCommand(CLI::App& app) : m_app(app.add_subcommand("status", "Show how a job, or any run that keeps a status file, stands")) {
  m_app->add_option("JOB", m_manifest, "Manifest of the job, or the status file of a run")->type_name("");
  CLI::Option* const json = m_app->add_flag("--json", m_json, "As JSON");
  m_app
      ->add_option_function<std::vector<std::string>>(
          "--watch",
          [this](const std::vector<std::string>& values) {
            m_watch = values;
            m_watches = true;
          },
          "Look again each so many seconds, until the run is over (default 10)")
      ->expected(0, 1)
      ->allow_extra_args(false)
      ->excludes(json)
      ->type_name("S");
}

int StatusCommand::run() {
  read_watch();
  if (m_manifest.empty()) throw UsageError("status: JOB is required");
  if (!speaks_for_all()) return k_all_done;
  m_manifest = store::real_manifest(m_manifest);
  if (is_live_status(m_manifest)) {
    if (m_watches)
      watch_live_status(m_manifest, std::chrono::seconds(m_interval));
    else
      print_live_status(m_manifest, m_json);
    return k_all_done;
  }
  if (m_watches) watch();
  print();
  return k_all_done;
}

/// Behind --watch there may be seconds, or the job: "status --watch job.h5".
void StatusCommand::read_watch() {
  if (m_watch.empty() || m_watch.front().empty()) return;
  const std::string& text = m_watch.front();
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), m_interval);
  const bool is_number = ec == std::errc{} && end == text.data() + text.size();
  if (is_number && m_interval >= 1 && m_interval <= 86400) return;
  if (is_number || !m_manifest.empty())
    throw UsageError(fmt::format("status: '{}' is no number of seconds from 1 to 86400", text));
  m_manifest = text;
  m_interval = 10;
}

/// Return how the job stands, with the rates since its beginning of the run that goes on, if one does. Copies count when they are over.
std::string watch_line(store::SeenJob& job) {
  const auto census = bulk::take_census(job.manifest, job.state);
  if (!census) throw Fatal(census.error());
  constexpr auto k_pending = static_cast<std::size_t>(store::ItemResult::pending);
  const auto percent = [](std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 100 : 100 * static_cast<double>(part) / static_cast<double>(all);
  };
  const std::uint64_t done = census->items - census->left();
  const std::uint64_t done_bytes = census->bytes - census->result_bytes.at(k_pending);
  std::string line = fmt::format("{}/{} items ({:.1f} %), {} of {} ({:.1f} %), {} failed", done, census->items,
                                 percent(done, census->items), format_size(done_bytes), format_size(census->bytes),
                                 percent(done_bytes, census->bytes), census->unsuccessful());
  const std::vector<RunRecord> runs = bulk::runs_of(job);
  if (runs.empty() || runs.back().end_ns != 0) return line;
  const std::chrono::nanoseconds begin(runs.back().begin_ns);
  const double elapsed = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch() - begin).count();
  if (elapsed <= 0) return line;  // by the clock of another host
  const auto works = bulk::work_of(job, runs);
  if (!works) throw Fatal(works.error());
  bulk::Rates rates;
  rates.files_per_second = static_cast<double>(works->back().files) / elapsed;
  rates.bytes_per_second = static_cast<double>(works->back().bytes) / elapsed;
  if (rates.bytes_per_second > 0) line += fmt::format(", {}/s", format_size(static_cast<std::uint64_t>(rates.bytes_per_second)));
  if (rates.files_per_second > 0) line += fmt::format(", {:.1f} files/s done", rates.files_per_second);
  // A file that is larger than all that was done may have been running for long: nobody here knows how fast.
  const auto action = bulk::action_of(*census);
  const bool copies = action == store::ItemAction::archive || action == store::ItemAction::restore;
  if (copies && census->largest_left > works->back().bytes) return line;
  if (const auto left = bulk::seconds_for({census->left(), census->result_bytes.at(k_pending)}, rates); left && census->left() > 0)
    line += fmt::format(", {} left", format_estimate(*left));
  return line;
}

/// Return when nobody has the job's lock any more. The lock is looked at each second: other hosts tell nobody of its
/// end.
void StatusCommand::watch() const {
  using Clock = std::chrono::steady_clock;
  const bool is_terminal = ::isatty(STDOUT_FILENO) != 0;
  auto next = Clock::now();
  for (;;) {
    const auto holder = store::look_at_lock(m_manifest);
    if (!holder) throw Fatal(holder.error());
    if (!*holder) break;
    if (Clock::now() >= next) {
      auto seen = store::look_at_job(m_manifest);
      if (!seen) throw Fatal(seen.error());
      const std::string line = watch_line(*seen);
      if (is_terminal)
        say(stdout, "\r\033[K{}", line);
      else
        say(stdout, "{:%Y-%m-%dT%H:%M:%S} {}\n", fmt::localtime(std::time(nullptr)), line);
      std::fflush(stdout);
      next = Clock::now() + std::chrono::seconds(m_interval);
    }
    std::this_thread::sleep_for(std::min<Clock::duration>(std::chrono::seconds(1), next - Clock::now()));
  }
  if (is_terminal) say(stdout, "\r\033[K");
}

void StatusCommand::print() const {
  const auto holder = store::look_at_lock(m_manifest);  // before the job: what ends meanwhile was not killed
  const bool is_running = holder && *holder;
  auto seen = store::look_at_job(m_manifest);
  if (!seen) throw Fatal(seen.error());
  const auto census = bulk::take_census(seen->manifest, seen->state);
  if (!census) throw Fatal(census.error());
  const std::vector<RunRecord> runs = bulk::runs_of(*seen);
  const std::uint64_t in_part = bytes_in_part(seen->state);
  if (m_json)
    say(stdout, "{}\n", as_json(m_manifest, *census, runs, in_part, is_running).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  else
    print_text(m_manifest, *census, runs, in_part, is_running);
  flush_answer();
}

}  // namespace lhsm::cli
