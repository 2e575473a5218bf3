// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scan_progress.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::cli {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_terminal_interval = 500ms;
constexpr Duration k_log_window = 10s;
constexpr std::uint64_t k_logged_per_window = 100;

std::string local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}", parts);
}

}  // namespace

ScanProgress::ScanProgress(std::FILE* out, report::Style style, std::chrono::seconds interval, scan::FailedNames& failed)
    : m_out(out), m_failed(failed), m_terminal(style == report::Style::live), m_interval(interval) {
  if (m_terminal && m_interval > Duration::zero()) m_interval = k_terminal_interval;
}

void ScanProgress::update(const scan::ScanTotals& totals, TimePoint now) {
  if (now - m_window >= k_log_window) {
    m_window = now;
    m_logged_in_window = 0;
  }
  if (m_interval == Duration::zero()) return;
  if (m_next == TimePoint{}) {
    m_next = now + m_interval;
    m_rate.sample(now, 0, 0);
  }
  if (now < m_next) return;
  m_next = now + m_interval;
  m_rate.sample(now, totals.files + totals.filtered, totals.bytes);
  const std::string line = fmt::format("{} files, {}, {} directories, {:.0f} files/s, {} filtered, {} failed", totals.files,
                                       format_size(totals.bytes), totals.directories, m_rate.files_per_second(),
                                       totals.filtered, totals.failed());
  if (m_terminal)
    fmt::print(m_out, "\r\033[K{}", line);
  else
    fmt::print(m_out, "{} {}\n", local_time(), line);
  m_line_open = m_terminal;
  std::fflush(m_out);
}

void ScanProgress::problem(const Error& error) {
  if (++m_logged_in_window > k_logged_per_window) return;
  ++m_logged;
  log::error("{}", error.describe());
}

void ScanProgress::close(const scan::ScanTotals& totals, int ranks, const std::string& manifest, Duration took) {
  if (m_line_open) fmt::print(m_out, "\n");
  if (totals.failed() > m_logged) log::warning("{} more failures, not listed", totals.failed() - m_logged);
  const double seconds = std::max(std::chrono::duration<double>(took).count(), 1e-3);
  const auto line = [this](std::string_view name, const std::string& value) {
    fmt::print(m_out, "{:<12} {}\n", std::string(name) + ':', value);
  };
  line("Completed", manifest.empty() ? "no, stopped: there is no manifest" : local_time());
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
