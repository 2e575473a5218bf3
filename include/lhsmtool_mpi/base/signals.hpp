// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm {

/// SIGTERM, SIGINT and SIGUSR1 as calls of a function in an ordinary thread. Made once, before any
/// other thread: the signals are blocked in every thread that is started later.
class SignalThread {
 public:
  /// Block the signals from now on. Throws Fatal.
  SignalThread();
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

  /// Call `on_signal` with the number of each signal from now on, also of those that came before the
  /// first call of this. An empty function: drop them; the former one is not running any more.
  void deliver_to(std::function<void(int)> on_signal);
  /// Keep signals for the next deliver_to(), which calls its function with them before it returns; the former one is not
  /// running any more.
  void hold();

 private:
  void run();

  std::mutex m_mutex;
  std::function<void(int)> m_on_signal;
  bool m_holds = false;
  std::vector<int> m_held;
  Fd m_signals;
  Fd m_stop;
  std::jthread m_thread;
};

/// Passes signals on while it lives.
class HeardSignals {
 public:
  HeardSignals(SignalThread& signals, std::function<void(int)> on_signal) : m_signals(signals) {
    m_signals.deliver_to(std::move(on_signal));
  }
  ~HeardSignals() { m_signals.deliver_to({}); }
  HeardSignals(const HeardSignals&) = delete;
  HeardSignals& operator=(const HeardSignals&) = delete;

 private:
  SignalThread& m_signals;
};

}  // namespace lhsm
