// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify_progress.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::cli {

using verify::Verdict;

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

VerifyProgress::VerifyProgress(std::FILE* out, report::Style style, std::chrono::seconds interval, std::uint64_t items)
    : m_out(out), m_terminal(style == report::Style::live), m_interval(interval), m_items(items) {
  if (m_terminal && m_interval > Duration::zero()) m_interval = k_terminal_interval;
}

void VerifyProgress::update(const verify::Totals& totals, TimePoint now) {
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
  m_rate.sample(now, totals.checked(), totals.bytes_read);
  const std::string line =
      fmt::format("{}/{} items, {}, {}/s, {:.0f} objects/s, {} unverified, {} failed", totals.checked(), m_items,
                  format_size(totals.bytes_read), format_size(static_cast<std::uint64_t>(m_rate.bytes_per_second())),
                  m_rate.files_per_second(), totals.of(Verdict::unverified), totals.failed());
  if (m_terminal)
    fmt::print(m_out, "\r\033[K{}", line);
  else
    fmt::print(m_out, "{} {}\n", local_time(), line);
  m_line_open = m_terminal;
  std::fflush(m_out);
}

void VerifyProgress::found(const verify::Finding& finding) {
  if (!is_failure(finding.verdict)) return;
  m_failed.push_back({finding.candidate.row, finding.error.sys_errno, finding.verdict});
  if (++m_logged_in_window > k_logged_per_window) return;
  ++m_logged;
  log::error("{} {}: {}", finding.candidate.fid.bracketed(), to_string(finding.verdict), finding.error.describe());
}

void VerifyProgress::close(const verify::Totals& totals, int ranks, std::uint64_t skipped, std::uint64_t left,
                           Duration took) {
  if (m_line_open) fmt::print(m_out, "\n");
  if (totals.failed() > m_logged) log::warning("{} more failures, not logged", totals.failed() - m_logged);
  const double seconds = std::max(std::chrono::duration<double>(took).count(), 1e-3);
  const auto line = [this](std::string_view name, const std::string& value) {
    fmt::print(m_out, "{:<12} {}\n", std::string(name) + ':', value);
  };
  line("Completed", left > 0 ? fmt::format("no, stopped: {} items were not come to", left) : local_time());
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
