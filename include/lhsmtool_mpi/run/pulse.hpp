// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whether work may go on. A site stops a copytool with SIGSTOP and lets it go on with SIGCONT; the
// signals reach rank 0 only, so the other ranks take a dispatcher that says nothing for one that is stopped.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "lhsmtool_mpi/base/clock.hpp"

namespace lhsm::run {

/// While there is work the dispatcher speaks to each worker this often,
inline constexpr Duration k_heartbeat_interval = std::chrono::milliseconds(500);
/// and one that is silent for so long is taken for stopped. Four beats: a slow turn of it is no stop.
inline constexpr Duration k_longest_silence = std::chrono::seconds(2);

/// Where the threads that copy, begin and end wait while work is paused. Any thread.
class Pulse {
 public:
  /// Return at once, or when work goes on.
  void wait() {
    if (!m_paused) return;
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return !m_paused; });
  }
  void pause(bool paused) {
    const std::lock_guard lock(m_mutex);
    m_paused = paused;
    m_changed.notify_all();
  }
  [[nodiscard]] bool paused() const { return m_paused; }

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::atomic<bool> m_paused = false;
};

/// Judges a dispatcher's silence. One thread.
class SilenceWatch {
 public:
  explicit SilenceWatch(TimePoint now) : m_heard(now), m_looked(now) {}

  /// A message came.
  void heard(TimePoint now) { m_heard = m_looked = now; }
  /// None is there now. Return whether the dispatcher is silent for too long, which counts only while
  /// there is work. Time in which nobody looked is not counted: then it is we who were stopped or slow.
  [[nodiscard]] bool silent(TimePoint now, bool has_work) {
    const Duration unwatched = now - m_looked;
    m_looked = now;
    if (!has_work) m_heard = now;
    if (unwatched > k_heartbeat_interval + k_heartbeat_interval / 2) m_heard += unwatched;
    return now - m_heard > k_longest_silence;
  }

 private:
  TimePoint m_heard;
  TimePoint m_looked;
};

}  // namespace lhsm::run
