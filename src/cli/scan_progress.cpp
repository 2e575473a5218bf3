// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scan_progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::cli {

ScanProgress::ScanProgress(std::FILE* out, report::Style style, std::chrono::seconds interval, scan::FailedNames& failed)
    : m_out(out), m_failed(failed), m_lines(out, style, interval) {}

void ScanProgress::update(const scan::ScanTotals& totals, TimePoint now) {
  m_log.pass(now);
  log::pass(now);
  if (!m_rate.has_begun()) m_rate.sample(now, 0, 0);
  if (!m_lines.due(now)) return;
  m_rate.sample(now, totals.files + totals.filtered, totals.bytes);
  const std::string line = fmt::format("{} files, {}, {} directories, {:.0f} files/s, {} filtered, {} failed", totals.files,
                                       format_size(totals.bytes), totals.directories, m_rate.files_per_second(),
                                       totals.filtered, totals.failed());
  m_lines.print(line);
}

void ScanProgress::problem(const Error& error) {
  ++m_told;
  m_log.failed(fmt::format("{} ({})", error.operation, errno_name(error.sys_errno)), error.describe());
}

void ScanProgress::close(const scan::ScanTotals& totals, int ranks, const std::string& manifest, Duration took) {
  m_lines.end();
  m_log.close();
  // A flood is cut where it comes from, too.
  if (totals.failed() > m_told) log::warning("{} more failures, not listed", totals.failed() - m_told);
  const double seconds = std::max(std::chrono::duration<double>(took).count(), 1e-3);
  const auto line = [this](std::string_view name, const std::string& value) {
    say(m_out, "{:<12} {}\n", std::string(name) + ':', value);
  };
  line("Completed", manifest.empty() ? "no: there is no manifest" : report::local_time());
  line("Seconds", fmt::format("{:.3f}", seconds));
  line("Ranks", fmt::format("{}", ranks));
  if (!manifest.empty()) line("Manifest", manifest);
  line("Files", fmt::format("{}", totals.files));
  line("Data", fmt::format("{} ({} bytes)", format_size(totals.bytes), totals.bytes));
  line("Rate", fmt::format("{:.0f} files/s", static_cast<double>(totals.files + totals.filtered) / seconds));
  line("Directories", fmt::format("{}", totals.directories));
  if (totals.filtered > 0) line("Filtered", fmt::format("{}", totals.filtered));
  if (totals.others > 0) line("Others", fmt::format("{} neither walked nor files", totals.others));
  if (totals.vanished > 0) line("Vanished", fmt::format("{} files", totals.vanished));
  line("Failed", fmt::format("{} ({} lines, {} directories and files)", totals.failed(), totals.failed_lines,
                             totals.failed_entries));
  std::fflush(m_out);
}

}  // namespace lhsm::cli
