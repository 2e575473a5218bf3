// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "html_charts.hpp"
#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/bulk/forecast.hpp"
#include "lhsmtool_mpi/pages/report.hpp"
#include "lhsmtool_mpi/pages/text.hpp"
#include "page_style.hpp"
#include "remedies.hpp"

namespace lhsm::pages {

using store::ItemAction;
using store::ItemResult;

namespace {

constexpr std::size_t k_most_runs = 50;  // the last ones
constexpr std::size_t k_longest_command = 1000;

std::string heading(ItemAction action) {
  constexpr std::array<const char*, store::k_item_actions> k_names{"Scan", "Archive", "Restore", "Release", "Remove", "Import"};
  return k_names.at(static_cast<std::size_t>(action));
}

/// How the job stands, in a word and a colour.
std::string state(const Subject& subject, const Statistics& statistics) {
  const bulk::Census& census = statistics.census;
  if (subject.is_running) return "<span class=\"state live\">running</span>";
  if (statistics.action() == ItemAction::none) return "<span class=\"state\">not begun</span>";
  if (census.left() > 0)
    return fmt::format("<span class=\"state open\">{}</span>",
                       census.left() == census.items ? "not begun" : "stopped, work is left");
  if (census.unsuccessful() > 0) return "<span class=\"state bad\">finished, some failed</span>";
  return "<span class=\"state good\">finished</span>";
}

std::string header(const store::SeenJob& job, const Subject& subject, const Statistics& statistics) {
  const auto& attributes = job.manifest.attributes();
  const std::string name = subject.manifest.substr(subject.manifest.rfind('/') + 1);
  std::string out =
      fmt::format("<header>\n<h1>{}{} of {} {}: {}</h1>\n", state(subject, statistics), heading(statistics.action()),
                  grouped(statistics.census.items), statistics.census.items == 1 ? "file" : "files", html_text(name));
  out +=
      fmt::format("<p class=\"sub\">{} on {}{}. Reported {}.</p>\n</header>\n", html_text(attributes.file_system),
                  html_text(attributes.mount_point),
                  attributes.archive_root.empty() ? std::string() : ", archive " + html_text(attributes.archive_root),
                  plain_time(subject.now_ns));
  return out;
}

std::string tile(const std::string& value, const std::string& name, const char* tone = "") {
  return fmt::format("<div class=\"tile {}\"><b>{}</b><span>{}</span></div>\n", tone, value, name);
}

/// Return how long the rest takes at the rates of all runs. Nothing: there are none, or a file that is larger than all that was done may
/// be running, of which nobody here knows how fast.
std::optional<double> seconds_left(const Statistics& statistics) {
  const bulk::Census& census = statistics.census;
  const double seconds = statistics.timeline.seconds();
  const bool copies = statistics.action() == ItemAction::archive || statistics.action() == ItemAction::restore;
  if (seconds <= 0 || (copies && census.largest_left > statistics.bytes_copied)) return std::nullopt;
  bulk::Rates rates;
  rates.files_per_second = static_cast<double>(census.with(ItemResult::done)) / seconds;
  rates.bytes_per_second = static_cast<double>(statistics.bytes_copied) / seconds;
  return bulk::seconds_for({census.left(), census.result_bytes.at(static_cast<std::size_t>(ItemResult::pending))}, rates);
}

std::string tiles(const Subject& subject, const Statistics& statistics) {
  const bulk::Census& census = statistics.census;
  const double seconds = statistics.timeline.seconds();
  const std::uint64_t done = census.with(ItemResult::done);
  const std::uint64_t successful = done + census.with(ItemResult::already);
  std::string out = "<div class=\"tiles\">\n";
  const std::uint64_t already = census.with(ItemResult::already);
  out += tile(grouped(successful), already > 0 ? fmt::format("done ({} already were)", grouped(already)) : "done");
  out += tile(grouped(census.unsuccessful()), "failed", census.unsuccessful() > 0 ? "bad" : "");
  std::string left = "left";
  if (const auto estimate = subject.is_running && census.left() > 0 ? seconds_left(statistics) : std::nullopt)
    left += fmt::format(", about {} at this rate", format_estimate(*estimate));
  out += tile(grouped(census.left()), left, census.left() > 0 ? "open" : "");
  out += tile(format_size(statistics.bytes_copied), fmt::format("copied, of {}", format_size(census.bytes)));
  if (seconds > 0) {
    out += tile(short_duration(seconds), "at work");
    const double rate = static_cast<double>(statistics.bytes_copied) / seconds;
    if (statistics.bytes_copied > 0) out += tile(format_size(static_cast<std::uint64_t>(rate)) + "/s", "on average");
    out += tile(fmt::format("{:.3g}/s", static_cast<double>(done) / seconds), "files on average");
  }
  if (statistics.retried > 0) out += tile(grouped(statistics.retried), "took more than one attempt");
  return out + "</div>\n";
}

std::string results(const Statistics& statistics) {
  const bulk::Census& census = statistics.census;
  std::string shares;
  std::string rows;
  constexpr std::array k_order{ItemResult::done,    ItemResult::already,   ItemResult::skipped, ItemResult::failed,
                               ItemResult::refused, ItemResult::cancelled, ItemResult::pending};
  for (const ItemResult result : k_order) {
    const std::uint64_t items = census.with(result);
    if (items == 0) continue;
    const auto name = bulk::to_string(result);
    const double share = static_cast<double>(items) / static_cast<double>(census.items);
    shares +=
        fmt::format("<i class=\"{}\" style=\"flex:{:.6f}\" title=\"{}: {}\"></i>", name, share, name, grouped(items));
    rows += fmt::format(
        "<tr><td><span class=\"key {}\"></span>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1f} %</td><td "
        "class=\"n\">{}</td></tr>\n",
        name, result == ItemResult::already ? "already as it should be" : std::string(name), grouped(items),
        100 * share, format_size(census.result_bytes.at(static_cast<std::size_t>(result))));
  }
  return fmt::format(
      "<section>\n<h2>Results</h2>\n<div class=\"shares\">{}</div>\n<table><tr><th></th><th class=\"n\">files</th><th "
      "class=\"n\">share</th>"
      "<th class=\"n\">size</th></tr>\n{}</table>\n</section>\n",
      shares, rows);
}

std::string errors(const Statistics& statistics) {
  if (statistics.errors.empty()) return {};
  std::vector<std::pair<std::pair<ItemResult, std::int32_t>, const ErrorGroup*>> groups;
  for (const auto& [key, group] : statistics.errors) groups.emplace_back(key, &group);
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.second->items > b.second->items; });
  std::string rows;
  for (const auto& [key, group] : groups) {
    std::string examples;
    for (const std::string& path : group->examples) examples += "<code>" + html_text(path) + "</code>";
    rows += fmt::format(
        "<tr><td class=\"nowrap\">{}<br><b>{}</b></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"remedy\">{}{}</td></tr>\n",
        bulk::to_string(key.first), key.second == 0 ? "" : errno_name(key.second), grouped(group->items),
        format_size(group->bytes), html_text(remedy_for(statistics.action(), key.first, key.second)), examples);
  }
  return "<section>\n<h2>Errors</h2>\n<p class=\"note\">By kind, with what to do and some of the files. All of them "
         "are in the list of "
         "--failed, or in the CSV report.</p>\n<div class=\"scroll\"><table><tr><th>result</th><th "
         "class=\"n\">files</th><th "
         "class=\"n\">size</th><th>what to do</th></tr>\n" +
         rows + "</table></div>\n</section>\n";
}

std::string slowest(const Statistics& statistics) {
  if (statistics.slowest.empty()) return {};
  std::string rows;
  for (const SlowItem& item : statistics.slowest) {
    const double rate = static_cast<double>(item.size) / item.seconds;
    rows += fmt::format(
        "<tr><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td>{}</td><td class=\"path\">{}</td></tr>\n",
        short_duration(item.seconds), format_size(item.size),
        item.size == 0 ? std::string() : format_size(static_cast<std::uint64_t>(rate)) + "/s",
        item.rank < 0 ? std::string() : fmt::format("{}", item.rank), bulk::to_string(item.result),
        html_text(item.path));
  }
  return "<section>\n<h2>Slowest files</h2>\n<p class=\"note\">By the time of the last attempt.</p>\n<div "
         "class=\"scroll\"><table><tr><th "
         "class=\"n\">time</th><th class=\"n\">size</th><th class=\"n\">rate</th><th "
         "class=\"n\">rank</th><th>result</th><th>path</th></tr>\n" +
         rows + "</table></div>\n</section>\n";
}

std::string runs(const Subject& subject, const Statistics& statistics) {
  if (statistics.runs.empty()) return {};
  std::string rows;
  const std::size_t first = statistics.runs.size() > k_most_runs ? statistics.runs.size() - k_most_runs : 0;
  for (std::size_t i = first; i < statistics.runs.size(); ++i) {
    const store::RunRecord& run = statistics.runs[i];
    const bool is_last = i + 1 == statistics.runs.size();
    std::string end = fmt::format("exit {}", run.exit_code);
    std::string took;
    if (run.end_ns == 0)
      end = is_last && subject.is_running ? "goes on" : "no end recorded";
    else
      took = short_duration(static_cast<double>(run.end_ns - run.begin_ns) * 1e-9);
    const std::string done =
        run.end_ns == 0 ? std::string() : grouped(run.totals.results.at(static_cast<std::size_t>(ItemResult::done)));
    rows += fmt::format(
        "<tr><td class=\"nowrap\">{}</td><td class=\"n\">{}</td><td class=\"nowrap\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>\n",
        plain_time(run.begin_ns), took, end, done,
        run.end_ns == 0 ? std::string() : format_size(run.totals.bytes_copied), run.ranks, html_text(std::string_view(run.hosts).substr(0, k_longest_command)), html_text(run.user),
        html_text(std::string_view(run.command_line).substr(0, k_longest_command)));
  }
  const std::string note =
      first == 0 ? std::string()
                 : fmt::format("<p class=\"note\">The last {} of {}.</p>\n", k_most_runs, statistics.runs.size());
  return "<section>\n<h2>Runs</h2>\n" + note +
         "<div class=\"scroll\"><table><tr><th>begin</th><th class=\"n\">took</th><th>end</th><th "
         "class=\"n\">done</th><th class=\"n\">copied</th><th "
         "class=\"n\">ranks</th><th>hosts</th><th>user</th><th>command</th></tr>\n" +
         rows + "</table></div>\n</section>\n";
}

}  // namespace

Status write_html(const store::SeenJob& job, const Subject& subject, const Statistics& statistics, Output& out) {
  const std::string title =
      html_text(heading(statistics.action()) + ": " + subject.manifest.substr(subject.manifest.rfind('/') + 1));
  LHSM_TRY(out.write(
      fmt::format("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                  "content=\"width=device-width, "
                  "initial-scale=1\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
                  title, k_page_style)));
  for (const std::string& part : {header(job, subject, statistics), tiles(subject, statistics), results(statistics),
                                  errors(statistics), courses(statistics), rank_activity(statistics),
                                  distributions(statistics), slowest(statistics), runs(subject, statistics)})
    LHSM_TRY(out.write(part));
  return out.write(fmt::format(
      "<footer>{}, generation {} of manifest {}, {} records of the journal. {}</footer>\n</main>\n</body>\n</html>\n",
      html_text(subject.manifest), job.manifest.identity().generation, job.manifest.identity().uuid_text(),
      grouped(job.state.record_count()), html_text(subject.program)));
}

}  // namespace lhsm::pages
