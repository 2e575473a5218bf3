// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/waker.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <cstdint>
#include <tuple>

namespace lhsm::comm {

Waker::Waker() : m_event(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!m_event) throw Fatal(errno_error("eventfd", "waker").value());
}

void Waker::wake() noexcept {
  const int saved = errno;  // a signal handler may be our caller
  const std::uint64_t one = 1;
  std::ignore = ::write(*m_event, &one, sizeof one);  // full means: woken already
  errno = saved;
}

bool Waker::wait(Duration timeout) {
  using namespace std::chrono;
  const auto ns = std::max<std::int64_t>(0, duration_cast<nanoseconds>(timeout).count());
  const timespec limit{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  pollfd event{*m_event, POLLIN, 0};
  if (::ppoll(&event, 1, &limit, nullptr) <= 0) return false;  // time is over, or a signal
  std::uint64_t count = 0;
  return ::read(*m_event, &count, sizeof count) == sizeof count;
}

}  // namespace lhsm::comm
