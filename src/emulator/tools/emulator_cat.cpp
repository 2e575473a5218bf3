// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "client/blocked_reader.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "tools/emulator_commands.hpp"

namespace lhsm::emulator {
namespace {

volatile std::sig_atomic_t g_time_is_over = 0;

/// Return 0 or an errno; ETIMEDOUT when the time was over first. The restore goes on then.
int wait_for_data(int fd, unsigned timeout) {
  g_time_is_over = 0;
  // Again and again: the first may come before the wait has begun.
  itimerval timer{};
  timer.it_value.tv_sec = timeout;
  timer.it_interval.tv_usec = timeout > 0 ? 100'000 : 0;
  if (::setitimer(ITIMER_REAL, &timer, nullptr) != 0) return errno;
  const int rc = wait_restored(fd);
  timer = {};
  if (::setitimer(ITIMER_REAL, &timer, nullptr) != 0) return errno;
  return rc == -EINTR && g_time_is_over != 0 ? ETIMEDOUT : -rc;
}

int write_all(const char* bytes, std::size_t size) {
  while (size > 0) {
    const auto written = ::write(STDOUT_FILENO, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

int copy_out(const std::string& path, unsigned timeout) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno;
  if (const int error = wait_for_data(*file, timeout); error != 0) return error;
  static char buffer[1U << 20U];
  for (;;) {
    const auto got = ::read(*file, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? errno : 0;
    if (const int error = write_all(buffer, static_cast<std::size_t>(got)); error != 0) return error;
  }
}

}  // namespace

int run_cat(const std::vector<std::string>& files, unsigned timeout) {
  struct sigaction alarm {};
  alarm.sa_handler = [](int) { g_time_is_over = 1; };
  if (::sigaction(SIGALRM, &alarm, nullptr) != 0) throw Fatal("sigaction: " + errno_name(errno));
  int code = 0;
  for (const auto& path : files)
    if (const int error = copy_out(path, timeout); error != 0) {
      std::fprintf(stderr, "lhsm_emulator: %s: %s\n", path.c_str(), errno_name(error).c_str());
      code = 1;
    }
  return code;
}

}  // namespace lhsm::emulator
