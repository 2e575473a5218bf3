// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/check/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <tuple>
#include <utility>

namespace lhsm::check {

namespace {

std::size_t place_of(std::string_view subject) {
  return static_cast<std::size_t>(std::find(k_subjects.begin(), k_subjects.end(), subject) - k_subjects.begin());
}

auto key_of(const CheckFinding& finding) {
  return std::tie(finding.verdict, finding.subject, finding.text, finding.remedy);
}

}  // namespace

std::string_view to_string(CheckVerdict verdict) {
  switch (verdict) {
    case CheckVerdict::ok: return "OK";
    case CheckVerdict::warn: return "WARN";
    case CheckVerdict::fail: break;
  }
  return "FAIL";
}

std::string ranks_text(const std::set<WorkerId>& ranks) {
  std::string text;
  for (auto at = ranks.begin(); at != ranks.end();) {
    const WorkerId first = *at;
    WorkerId last = first;
    while (++at != ranks.end() && *at == last + 1) last = *at;
    if (!text.empty()) text += ',';
    text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
  }
  return text;
}

void Report::add(WorkerId rank, CheckFinding finding) {
  assert(finding.verdict == CheckVerdict::ok || !finding.remedy.empty());  // who is warned is told what to do
  const auto same = std::find_if(m_lines.begin(), m_lines.end(),
                                 [&](const ReportLine& line) { return key_of(line.finding) == key_of(finding); });
  if (same != m_lines.end())
    same->ranks.insert(rank);
  else
    m_lines.push_back({std::move(finding), {rank}});
}

std::vector<ReportLine> Report::lines() const {
  std::vector<ReportLine> sorted = m_lines;
  std::stable_sort(sorted.begin(), sorted.end(), [](const ReportLine& a, const ReportLine& b) {
    const std::size_t place_a = place_of(a.finding.subject);
    const std::size_t place_b = place_of(b.finding.subject);
    return std::tie(place_a, b.finding.verdict) < std::tie(place_b, a.finding.verdict);
  });
  return sorted;
}

std::size_t Report::count(CheckVerdict verdict) const {
  return static_cast<std::size_t>(std::count_if(
      m_lines.begin(), m_lines.end(), [verdict](const ReportLine& line) { return line.finding.verdict == verdict; }));
}

CheckVerdict Report::worst() const {
  CheckVerdict worst = CheckVerdict::ok;
  for (const ReportLine& line : m_lines) worst = std::max(worst, line.finding.verdict);
  return worst;
}

}  // namespace lhsm::check
