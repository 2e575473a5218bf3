// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "check.hpp"

namespace lhsm::cli {

namespace {

constexpr int k_json_version = 1;

std::string summary(const check::Report& report) {
  using check::CheckVerdict;
  return fmt::format("{} OK, {} WARN, {} FAIL", report.count(CheckVerdict::ok), report.count(CheckVerdict::warn), report.count(CheckVerdict::fail));
}

/// Whether nobody else has anything to say of it.
bool is_of_rank_0_alone(const check::Report& report, const std::string& subject) {
  const auto lines = report.lines();
  return std::all_of(lines.begin(), lines.end(), [&subject](const check::ReportLine& line) {
    return line.finding.subject != subject || line.ranks == std::set<WorkerId>{0};
  });
}

}  // namespace

std::string check_text(const check::Report& report, int ranks) {
  std::string text;
  for (const check::ReportLine& line : report.lines()) {
    const check::CheckFinding& found = line.finding;
    // Most is said by rank 0 for the run, or by all.
    const bool is_for_run = line.ranks == std::set<WorkerId>{0} && is_of_rank_0_alone(report, found.subject);
    const bool is_special = line.ranks.size() != static_cast<std::size_t>(ranks) && !is_for_run;
    text += fmt::format("{:4}  {:22}  {}{}\n", check::to_string(found.verdict), found.subject, found.text,
                        is_special ? fmt::format("  [rank{} {}]", line.ranks.size() == 1 ? "" : "s", check::ranks_text(line.ranks)) : "");
    if (!found.remedy.empty()) text += fmt::format("      {:22}  -> {}\n", "", found.remedy);
  }
  return text + summary(report) + '\n';
}

std::string check_json(const check::Report& report, const std::vector<check::Link>& links, int ranks) {
  nlohmann::ordered_json json;
  json["version"] = k_json_version;
  json["result"] = check::to_string(report.worst());
  json["ranks"] = ranks;
  json["findings"] = nlohmann::ordered_json::array();
  for (const check::ReportLine& line : report.lines())
    json["findings"].push_back({{"verdict", check::to_string(line.finding.verdict)},
                                {"subject", line.finding.subject},
                                {"text", line.finding.text},
                                {"remedy", line.finding.remedy},
                                {"ranks", check::ranks_text(line.ranks)}});
  json["links"] = nlohmann::ordered_json::array();
  for (const check::Link& link : links)
    json["links"].push_back({{"rank", link.rank}, {"host", link.host}, {"latency_us", link.latency_us}, {"mib_per_s", link.mib_per_s}});
  // Names of files and hosts need not be UTF-8.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace lhsm::cli
