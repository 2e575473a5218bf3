// SPDX-License-Identifier: LGPL-2.1-or-later
#include "background.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <tuple>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/say.hpp"

namespace lhsm::cli {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_patience = 30s;

/// Whether `fd` becomes readable, or its other end closes, within the patience.
bool answers(int fd) {
  const TimePoint deadline = std::chrono::steady_clock::now() + k_patience;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= 0ms) return false;
    pollfd event{fd, POLLIN, 0};
    if (::poll(&event, 1, static_cast<int>(left.count())) > 0) return true;
  }
}

[[noreturn]] void wait_for_start(pid_t child, int from_child) {
  char byte = 0;
  if (!answers(from_child)) {
    say(stderr, "process {} goes on in the background and has not registered yet\n", child);
    ::_exit(0);
  }
  if (::read(from_child, &byte, 1) == 1) ::_exit(0);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) ::_exit(1);
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

}  // namespace

Outcome<Background> Background::enter() {
  std::array<int, 2> ends{};
  // No pipe: a write to one that nobody holds any more would end the daemon.
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return errno_error("socketpair", "for the background process");
  Fd from_child(ends[0]);
  Fd to_parent(ends[1]);
  std::fflush(nullptr);  // else both would print what waits
  const pid_t child = ::fork();
  if (child < 0) return errno_error("fork", "the background process");
  if (child > 0) {
    to_parent.reset();
    wait_for_start(child, *from_child);
  }
  if (::setsid() < 0) return errno_error("setsid", "the background process");
  return Background(std::move(to_parent));
}

void Background::started() {
  const char byte = 1;
  if (m_to_parent) std::ignore = ::send(*m_to_parent, &byte, 1, MSG_NOSIGNAL);  // it may have stopped to wait
  m_to_parent.reset();
}

}  // namespace lhsm::cli
