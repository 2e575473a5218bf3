// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/failure_watch.hpp"

#include <fmt/format.h>

#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::bulk {

void FailureWatch::note(bool is_failure) {
  bool& place = m_last.at(m_count % k_window);
  if (m_count >= k_window && place) --m_failures;
  place = is_failure;
  if (is_failure) ++m_failures;
  ++m_count;
}

void FailureWatch::succeeded() {
  note(false);
  m_pauses = 0;
}

void FailureWatch::failed(const Error& error, TimePoint now) {
  if (error.kind == ErrorKind::cancelled) return;  // somebody wants it so
  if (error.kind == ErrorKind::no_space) {
    if (now < m_paused_until) return;  // one of those that were under way already
    if (++m_pauses > m_options.space_pauses) m_verdict = "there is no space: " + error.describe();
    const auto pause = m_options.space_delay * (1U << (m_pauses - 1));
    m_paused_until = now + pause;
    if (m_verdict.empty())
      log::warning("there is no space; nothing is asked for for {:.0f} s (pause {} of {})",
                   std::chrono::duration<double>(pause).count(), m_pauses, m_options.space_pauses);
    return;
  }
  note(true);
  if (m_count >= k_window && m_failures > m_options.abort_after && m_verdict.empty())
    m_verdict = fmt::format("{} of the last {} attempts failed, the last one: {}", m_failures, k_window, error.describe());
}

}  // namespace lhsm::bulk
