// SPDX-License-Identifier: LGPL-2.1-or-later
#include "live_status.hpp"
#include "standard_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "lhsmtool_mpi/report/status.hpp"

namespace lhsm::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t k_rows_on_paper = 64;
constexpr int k_look_ms = 1000;  // what other hosts write is not told

std::int64_t now_ms() { return wall_clock_ns() / 1'000'000; }

std::string text_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw Fatal(errno_error("open", path).value());
  std::string text;
  std::array<char, 1 << 16> piece{};
  for (;;) {
    const ssize_t got = ::read(*file, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Fatal(errno_error("read", path).value());
    if (got == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
}

report::RunStatus status_in(const std::string& path) {
  auto status = report::status_of_json(text_of(path));
  if (!status) throw Fatal(fmt::format("{}: {}", path, status.error().describe()));
  return std::move(*status);
}

/// How many hosts, ranks and files each have room on a terminal.
std::size_t rows_of_terminal() {
  constexpr std::size_t k_others = 20;  // lines of the table that are none of these
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return k_rows_on_paper;
  return std::max<std::size_t>(3, (std::max<std::size_t>(size.ws_row, k_others) - k_others) / 3);
}

/// Tells when a file may have been replaced.
class Replacements {
 public:
  explicit Replacements(const std::string& path) : m_inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    const auto directory = std::filesystem::path(path).parent_path();
    // Where it cannot be watched there is still the look each second.
    if (m_inotify) std::ignore = ::inotify_add_watch(*m_inotify, directory.empty() ? "." : directory.c_str(), IN_MOVED_TO);
  }
  /// Return when something was renamed there, or a second has passed.
  void wait() const {
    if (!m_inotify) {
      std::ignore = ::poll(nullptr, 0, k_look_ms);
      return;
    }
    pollfd waiting{*m_inotify, POLLIN, 0};
    std::ignore = ::poll(&waiting, 1, k_look_ms);
    std::array<char, 4096> events{};
    while (::read(*m_inotify, events.data(), events.size()) > 0) {
    }
  }

 private:
  Fd m_inotify;
};

}  // namespace

bool is_live_status(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char first = '\0';
  return file && ::read(*file, &first, 1) == 1 && report::looks_like_status({&first, 1});
}

void print_live_status(const std::string& path, bool as_json) {
  print_answer(as_json ? text_of(path) : report::status_table(status_in(path), now_ms(), k_rows_on_paper));
}

void watch_live_status(const std::string& path, std::chrono::seconds interval) {
  const bool is_terminal = ::isatty(STDOUT_FILENO) != 0;
  const Replacements replacements(path);
  auto next = Clock::now();
  std::int64_t shown_ms = 0;
  for (;;) {
    const report::RunStatus status = status_in(path);
    const std::int64_t now = now_ms();
    const bool is_over = status.state == "ended" || report::is_gone(status);
    // On a terminal also what is not written any more is shown anew: it grows stale.
    const bool is_due = is_terminal ? status.updated_ms != shown_ms || Clock::now() >= next : Clock::now() >= next;
    if (is_due || is_over) {
      say(stdout, "{}{}", is_terminal ? "\033[H\033[J" : shown_ms == 0 ? "" : "\n",
                 report::status_table(status, now, is_terminal ? rows_of_terminal() : k_rows_on_paper));
      std::fflush(stdout);
      next = Clock::now() + (is_terminal ? std::chrono::seconds(1) : interval);
      shown_ms = status.updated_ms;
    }
    if (is_over) return;
    replacements.wait();
  }
}

}  // namespace lhsm::cli
