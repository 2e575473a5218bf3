// SPDX-License-Identifier: LGPL-2.1-or-later
#include "html_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/pages/text.hpp"
#include "svg_chart.hpp"

namespace lhsm::pages {

namespace {

constexpr std::size_t k_rank_columns = 96;

std::string bytes_per_second(double rate) { return format_size(static_cast<std::uint64_t>(rate)) + "/s"; }

std::string items_per_second(double rate) {
  if (rate >= 1000) return grouped(static_cast<std::uint64_t>(rate)) + "/s";
  return fmt::format("{:.3g}/s", rate);
}

std::string section(const std::string& title, const std::string& note, const std::string& body) {
  return fmt::format("<section>\n<h2>{}</h2>\n<p class=\"note\">{}</p>\n{}</section>\n", title, note, body);
}

/// Seconds at which a run other than the first one begins; of runs that are too short for lines of their own one for several.
std::vector<double> breaks_of(const Timeline& timeline) {
  constexpr double k_most_lines = 48;
  std::vector<double> breaks;
  double at = 0;
  for (const Span& span : timeline.spans()) {
    if (at - (breaks.empty() ? 0 : breaks.back()) >= timeline.seconds() / k_most_lines) breaks.push_back(at);
    at += static_cast<double>(span.end_ns - span.begin_ns) * 1e-9;
  }
  return breaks;
}

std::string size_label(std::size_t power) {
  constexpr const char* k_units[] = {"", "K", "M", "G", "T", "P", "E"};
  return fmt::format("{}{}", std::uint64_t{1} << power % 10, k_units[power / 10]);
}

/// Classes of a factor of four from 1 KiB on.
std::vector<BarChart::Class> size_classes(const SizeDistribution& sizes, const bulk::Census& census) {
  std::vector<BarChart::Class> classes;
  std::vector<SizeDistribution::Amount> amounts;
  const auto add = [&](std::size_t begin, std::size_t end, const std::string& label, const std::string& range) {
    SizeDistribution::Amount sum;
    for (std::size_t i = begin; i < end; ++i) {
      sum.items += sizes.classes().at(i).items;
      sum.bytes += sizes.classes().at(i).bytes;
    }
    const auto share = [](std::uint64_t part, std::uint64_t all) {
      return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
    };
    classes.push_back({label, share(sum.items, census.items), share(sum.bytes, census.bytes),
                       fmt::format("{}: {} files, {}", range, grouped(sum.items), format_size(sum.bytes))});
    amounts.push_back(sum);
  };
  add(0, 1, "0", "empty");
  add(1, 11, "<1K", "less than 1 KiB");
  for (std::size_t power = 10; power < 64; power += 2)
    add(power + 1, std::min<std::size_t>(power + 3, SizeDistribution::k_classes), size_label(power),
        fmt::format("from {}iB", size_label(power)));
  while (!amounts.empty() && amounts.back().items == 0) {
    amounts.pop_back();
    classes.pop_back();
  }
  const auto first = std::find_if(amounts.begin(), amounts.end(), [](const auto& amount) { return amount.items > 0; });
  classes.erase(classes.begin(), classes.begin() + (first - amounts.begin()));
  return classes;
}

std::vector<BarChart::Class> latency_classes(const Latencies& first, const Latencies& second) {
  const auto share = [](const Latencies& of, std::size_t octave) {
    return of.count() == 0 ? 0 : static_cast<double>(of.in_octave(octave)) / static_cast<double>(of.count());
  };
  std::vector<BarChart::Class> classes;
  std::size_t used = 0;
  for (std::size_t octave = 0; octave < Latencies::k_octaves; ++octave) {
    const double begin = std::exp2(static_cast<double>(octave) + Latencies::k_first_octave);
    const std::uint64_t items = first.in_octave(octave) + second.in_octave(octave);
    if (items == 0 && classes.empty()) continue;
    classes.push_back({octave == 0 ? "<2 ms" : short_duration(begin), share(first, octave), share(second, octave),
                       fmt::format("from {} to {}: last attempt of {} files, request to end of {}",
                                   octave == 0 ? "0" : short_duration(begin), short_duration(2 * begin),
                                   grouped(first.in_octave(octave)), grouped(second.in_octave(octave)))});
    if (items > 0) used = classes.size();
  }
  classes.resize(used);
  return classes;
}

std::string quantile_row(const char* name, const Latencies& latencies) {
  if (latencies.count() == 0) return {};
  return fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", name,
                     short_duration(latencies.quantile(0.5)), short_duration(latencies.quantile(0.9)),
                     short_duration(latencies.quantile(0.99)), short_duration(latencies.longest()));
}

std::string legend(const char* first, const char* second) {
  return fmt::format(
      "<p class=\"legend\"><span class=\"key files\"></span>{} <span class=\"key bytes\"></span>{}</p>\n", first,
      second);
}

std::string size_table(const Statistics& statistics) {
  const bulk::Census& census = statistics.census;
  if (census.items == 0) return {};
  const auto most = [&statistics](double share) { return format_size(statistics.sizes.quantile(share)); };
  return fmt::format(
      "<table class=\"small\"><tr><th></th><th>half</th><th>90 %</th><th>99 %</th><th>mean</th></tr>\n"
      "<tr><td>size, at most</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr></table>\n",
      most(0.5), most(0.9), most(0.99), format_size(census.bytes / census.items));
}

}  // namespace

std::string courses(const Statistics& statistics) {
  const Timeline& timeline = statistics.timeline;
  if (timeline.bins().empty()) return {};
  CourseChart bytes{"Throughput over time", {},     {}, timeline.seconds(), breaks_of(timeline), 1024,
                    bytes_per_second,       "bytes"};
  CourseChart items{
      "Files per second over time", {}, {}, timeline.seconds(), bytes.breaks, 1000, items_per_second, "files"};
  bool has_failures = false;
  for (const Timeline::Bin& bin : timeline.bins()) {
    bytes.values.push_back(bin.bytes / timeline.bin_seconds());
    items.values.push_back(bin.done / timeline.bin_seconds());
    items.marks.push_back(bin.failed / timeline.bin_seconds());
    has_failures = has_failures || bin.failed > 0;
  }
  if (!has_failures) items.marks.clear();
  const std::string when = fmt::format(
      "From {} to {}; {} at work.{}", plain_time(timeline.spans().front().begin_ns),
      plain_time(timeline.spans().back().end_ns), short_duration(timeline.seconds()),
      timeline.spans().size() > 1 ? " Dashed lines: another run begins, or several short ones; the time between runs is left out." : "");
  std::string out;
  if (statistics.bytes_copied > 0)
    out += section("Throughput", when + " A file's bytes are spread over the time of its last attempt.", draw(bytes));
  out += section(
      "Files per second",
      (statistics.bytes_copied > 0 ? std::string() : when + ' ') +
          (has_failures ? "Files that are done, and in red those that ended without success." : "Files that are done."),
      draw(items));
  return out;
}

std::string rank_activity(const Statistics& statistics) {
  const Timeline& timeline = statistics.timeline;
  if (timeline.bins().empty() || statistics.ranks.empty()) return {};
  HeatChart chart{"Activity of each rank over time", {}, timeline.seconds(), breaks_of(timeline)};
  const std::size_t columns = std::min(k_rank_columns, timeline.bins().size());
  double most = 0;
  for (const RankActivity& activity : statistics.ranks) {
    HeatChart::Row row;
    row.label = activity.first == activity.last ? fmt::format("rank {}", activity.first)
                                                : fmt::format("{} to {}", activity.first, activity.last);
    row.note = fmt::format("{} files, {}", grouped(activity.items), format_size(activity.bytes));
    row.cells.resize(columns);
    const auto ranks = static_cast<double>(activity.last - activity.first + 1);
    for (std::size_t i = 0; i < activity.busy.size(); ++i)
      row.cells[i * columns / activity.busy.size()] += activity.busy[i] / ranks;
    most = std::max(most, *std::max_element(row.cells.begin(), row.cells.end()));
    chart.rows.push_back(std::move(row));
  }
  if (most <= 0) return {};
  for (HeatChart::Row& row : chart.rows)
    for (double& cell : row.cells) cell /= most;
  const double slots = most / (timeline.seconds() / static_cast<double>(columns));
  return section(
      "Ranks",
      fmt::format("Actions at once on each rank, from none to {:.1f} at full colour. A file that several ranks copied "
                  "counts for the one that owned it.",
                  slots),
      draw(chart));
}

std::string distributions(const Statistics& statistics) {
  std::string out = "<div class=\"pair\">\n";
  out += section("Sizes", "Share of files and of bytes, by size.",
                 draw(BarChart{"Distribution of sizes", size_classes(statistics.sizes, statistics.census)}) +
                     legend("files", "bytes") + size_table(statistics));
  if (statistics.copying.count() + statistics.waiting.count() > 0)
    out += section(
        "Latencies", "How long files took that are done: the last attempt, and from the first request to the end.",
        draw(BarChart{"Distribution of latencies", latency_classes(statistics.copying, statistics.waiting)}) +
            legend("last attempt", "request to end") +
            "<table class=\"small\"><tr><th></th><th>half</th><th>90 %</th><th>99 %</th><th>longest</th></tr>\n" +
            quantile_row("last attempt", statistics.copying) + quantile_row("request to end", statistics.waiting) +
            "</table>\n");
  return out + "</div>\n";
}

}  // namespace lhsm::pages
