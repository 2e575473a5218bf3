// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify_progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::cli {

using verify::Verdict;

VerifyProgress::VerifyProgress(std::FILE* out, report::Style style, std::chrono::seconds interval, std::uint64_t items)
    : m_out(out), m_lines(out, style, interval), m_items(items) {}

void VerifyProgress::update(const verify::Totals& totals, TimePoint now) {
  m_log.pass(now);
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

void VerifyProgress::close(const verify::Totals& totals, int ranks, std::uint64_t skipped, std::uint64_t left,
                           Duration took) {
  m_lines.end();
  m_log.close();
  const double seconds = std::max(std::chrono::duration<double>(took).count(), 1e-3);
  const auto line = [this](std::string_view name, const std::string& value) {
    fmt::print(m_out, "{:<12} {}\n", std::string(name) + ':', value);
  };
  line("Completed", left > 0 ? fmt::format("no, stopped: {} items were not come to", left) : report::local_time());
  line("Seconds", fmt::format("{:.3f}", seconds));
  line("Ranks", fmt::format("{}", ranks));
  line("Read", fmt::format("{} ({} bytes), {}/s", format_size(totals.bytes_read), totals.bytes_read,
                           format_size(static_cast<std::uint64_t>(static_cast<double>(totals.bytes_read) / seconds))));
  line("Verified", fmt::format("{}", totals.of(Verdict::verified)));
  line("Unverified", fmt::format("{} (no digest; their sizes are right)", totals.of(Verdict::unverified)));
  for (const Verdict verdict : {Verdict::corrupt, Verdict::wrong_size, Verdict::missing, Verdict::unreadable}) {
    std::string name(to_string(verdict));
    name.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(name.front())));
    line(name, fmt::format("{}", totals.of(verdict)));
  }
  if (skipped > 0) line("Skipped", fmt::format("{} that are not archived", skipped));
  std::fflush(m_out);
}

const std::vector<VerifyProgress::Failed>& VerifyProgress::failed() {
  std::sort(m_failed.begin(), m_failed.end(), [](const Failed& a, const Failed& b) { return a.row < b.row; });
  return m_failed;
}

}  // namespace lhsm::cli
