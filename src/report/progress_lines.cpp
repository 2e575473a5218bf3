// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/progress_lines.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::report {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_live_interval = 500ms;
constexpr const char* k_others = "failures of other kinds";

}  // namespace

std::string local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}", parts);
}

ProgressLines::ProgressLines(std::FILE* out, Style style, std::chrono::seconds interval)
    : m_out(out), m_is_live(style == Style::live), m_interval(interval) {
  if (m_is_live && m_interval > Duration::zero()) m_interval = k_live_interval;
}

bool ProgressLines::due(TimePoint now) {
  if (m_interval == Duration::zero()) return false;
  if (m_next == TimePoint{}) m_next = now + m_interval;
  if (now < m_next) return false;
  m_next = now + m_interval;
  return true;
}

void ProgressLines::print(const std::string& line) {
  if (m_is_live)
    fmt::print(m_out, "\r\033[K{}", line);
  else
    fmt::print(m_out, "{} {}\n", local_time(), line);
  m_is_open = m_is_live;
  std::fflush(m_out);
}

void ProgressLines::end() {
  if (m_is_open) fmt::print(m_out, "\n");
  m_is_open = false;
}

void FailureLog::failed(const std::string& kind, const std::string& line) {
  // Kinds that come when no line is left share one count, so that the table stays as short as the log.
  const bool is_full = m_logged >= k_of_all && !m_kinds.contains(kind);
  Kind& known = m_kinds[is_full ? k_others : kind];
  if (m_logged >= k_of_all || known.logged >= k_of_a_kind) {
    ++known.folded;
    return;
  }
  ++known.logged;
  ++m_logged;
  log::error("{}", line);
}

void FailureLog::pass(TimePoint now) {
  if (now - m_window < k_window) return;
  say_folded();
  m_window = now;
}

void FailureLog::close() { say_folded(); }

void FailureLog::say_folded() {
  for (const auto& [kind, known] : m_kinds)
    if (known.folded > 0) log::error("{}: {} more in the last {} s", kind, known.folded, k_window / 1s);
  m_kinds.clear();
  m_logged = 0;
}

}  // namespace lhsm::report
