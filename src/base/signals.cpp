// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/signals.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <tuple>

namespace lhsm {

SignalThread::SignalThread() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set, number);
  if (const int rc = pthread_sigmask(SIG_BLOCK, &set, nullptr); rc != 0)
    throw Fatal(errno_error("pthread_sigmask", "signals", rc).value());
  m_signals = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!m_signals) throw Fatal(errno_error("signalfd", "signals").value());
  m_stop = Fd(::eventfd(0, EFD_CLOEXEC));
  if (!m_stop) throw Fatal(errno_error("eventfd", "signals").value());
}

void SignalThread::deliver_to(std::function<void(int)> on_signal) {
  const std::lock_guard lock(m_mutex);
  m_on_signal = std::move(on_signal);
  m_holds = false;
  if (m_on_signal)
    for (const int number : m_held) m_on_signal(number);
  m_held.clear();
  if (!m_thread.joinable()) m_thread = std::jthread([this] { run(); });
}

void SignalThread::hold() {
  const std::lock_guard lock(m_mutex);
  m_on_signal = {};
  m_holds = true;
}

void SignalThread::run() {
  std::array<pollfd, 2> events{{{*m_signals, POLLIN, 0}, {*m_stop, POLLIN, 0}}};
  for (;;) {
    if (::poll(events.data(), events.size(), -1) < 0) continue;  // EINTR: a signal that is not ours
    if (events[1].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(*m_signals, &info, sizeof info) != sizeof info) continue;
    const std::lock_guard lock(m_mutex);
    if (m_on_signal)
      m_on_signal(static_cast<int>(info.ssi_signo));
    else if (m_holds)
      m_held.push_back(static_cast<int>(info.ssi_signo));
  }
}

SignalThread::~SignalThread() {
  const std::uint64_t one = 1;
  std::ignore = ::write(*m_stop, &one, sizeof one);  // an eventfd takes it
}

}  // namespace lhsm
