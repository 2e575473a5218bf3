// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/progress_lines.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/say.hpp"

namespace lhsm::report {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_live_interval = 500ms;

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
    say(m_out, "\r\033[K{}", line);
  else
    say(m_out, "{} {}\n", local_time(), line);
  m_is_open = m_is_live;
  std::fflush(m_out);
}

void ProgressLines::end() {
  if (m_is_open) say(m_out, "\n");
  m_is_open = false;
}

void FailureLog::failed(const std::string& kind, const std::string& line) {
  if (m_fold.admit(kind, line)) log::error("{}", line);
}

void FailureLog::pass(TimePoint now) { say(m_fold.pass(now)); }

void FailureLog::close() { say(m_fold.close()); }

void FailureLog::say(const std::vector<Fold::Folded>& folded) {
  for (const Fold::Folded& kind : folded)
    log::error("{}: {} more in the last {} s", kind.kind.empty() ? "failures of other kinds" : kind.kind, kind.count,
               Fold::k_window / 1s);
}

}  // namespace lhsm::report
