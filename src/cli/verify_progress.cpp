// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify_progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::cli {

using verify::Verdict;

VerifyProgress::VerifyProgress(std::FILE* out, report::Style style, std::chrono::seconds interval, std::uint64_t items)
    : m_lines(out, style, interval), m_items(items) {}

void VerifyProgress::update(const verify::Totals& totals, TimePoint now) {
  m_log.pass(now);
  log::pass(now);
  if (!m_rate.has_begun()) m_rate.sample(now, 0, 0);
  if (!m_lines.due(now)) return;
  m_rate.sample(now, totals.checked(), totals.bytes_read);
  const std::string line =
      fmt::format("{}/{} items, {}, {}/s, {:.0f} objects/s, {} unverified, {} failed", totals.checked(), m_items,
                  format_size(totals.bytes_read), format_size(static_cast<std::uint64_t>(m_rate.bytes_per_second())),
                  m_rate.files_per_second(), totals.of(Verdict::unverified), totals.failed());
  m_lines.print(line);
}

void VerifyProgress::found(const verify::Finding& finding) {
  if (!is_failure(finding.verdict)) return;
  m_failed.push_back({finding.candidate.row, finding.error.sys_errno, finding.verdict});
  m_log.failed(fmt::format("{}: {} ({})", to_string(finding.verdict), finding.error.operation,
                           errno_name(finding.error.sys_errno)),
               fmt::format("{} {}: {}", finding.candidate.fid.bracketed(), to_string(finding.verdict),
                           finding.error.describe()));
}

void VerifyProgress::close() {
  m_lines.end();
  m_log.close();
}

const std::vector<VerifyProgress::Failed>& VerifyProgress::failed() {
  std::sort(m_failed.begin(), m_failed.end(), [](const Failed& a, const Failed& b) { return a.row < b.row; });
  return m_failed;
}

}  // namespace lhsm::cli
