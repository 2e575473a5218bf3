// SPDX-License-Identifier: LGPL-2.1-or-later
#include "object_locator.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <ctime>
#include <tuple>
#include <utility>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

extern char** environ;

namespace lhsm::bulk {

namespace {

constexpr std::chrono::milliseconds k_between_looks{200};
constexpr std::size_t k_read_bytes = 65536;
constexpr std::size_t k_longest_answer = 4096;  // a line

Failure failed(const LocationCommand& command, int sys_errno) {
  return errno_error("run location command", command.command, sys_errno);
}

/// A child, its group, and what goes in and comes out. Whatever happens, nothing of it is left.
class Child {
 public:
  static Outcome<Child> start(const LocationCommand& command) {
    Child child;
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0) return failed(command, errno);
    const Fd child_in(in[0]);
    child.m_in = Fd(in[1]);
    if (::pipe2(out.data(), O_CLOEXEC) != 0) return failed(command, errno);
    child.m_out = Fd(out[0]);
    const Fd child_out(out[1]);
    for (const Fd* const fd : {&child.m_in, &child.m_out})
      if (::fcntl(**fd, F_SETFL, O_NONBLOCK) != 0) return failed(command, errno);
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, *child_in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, *child_out, STDOUT_FILENO);
    // Ours are blocked, and this thread's SIGPIPE, too; a command must be as one that a shell starts.
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::string shell = "sh";
    std::string option = "-c";
    std::string text = command.command;
    std::array<char*, 4> arguments{shell.data(), option.data(), text.data(), nullptr};
    const int rc = ::posix_spawn(&child.m_pid, "/bin/sh", &actions, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) {
      child.m_pid = -1;
      return failed(command, rc);
    }
    return child;
  }

  Child() = default;
  Child(Child&& other) noexcept
      : m_in(std::move(other.m_in)), m_out(std::move(other.m_out)), m_pid(std::exchange(other.m_pid, -1)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child& operator=(Child&&) = delete;
  ~Child() { std::ignore = end(); }

  Fd& in() { return m_in; }
  Fd& out() { return m_out; }

  /// Return how it ended; what is still there of its group is killed. Only after its output has ended: it is not waited for.
  int end() {
    if (m_pid < 0) return 0;
    m_in.reset();
    m_out.reset();
    siginfo_t info{};
    // A leader that has ended keeps its number, and so its group's, until it is reaped. (Older kernels have no pidfd to wait on.)
    for (int tries = 0; tries < k_end_looks; ++tries) {
      if (::waitid(P_PID, static_cast<id_t>(m_pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0) break;
      const timespec pause{0, 10'000'000};
      ::nanosleep(&pause, nullptr);
    }
    ::kill(-m_pid, SIGKILL);
    int status = 0;
    while (::waitpid(m_pid, &status, 0) < 0 && errno == EINTR) {}
    m_pid = -1;
    return status;
  }
  void kill() {
    if (m_pid > 0) ::kill(-m_pid, SIGKILL);
  }

 private:
  static constexpr int k_end_looks = 500;  // 5 s between its last word and its end

  Fd m_in;
  Fd m_out;
  pid_t m_pid = -1;
};

/// While it lives, a write to a pipe without a reader is an error and no signal, in this thread.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&m_set);
    sigaddset(&m_set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &m_set, &m_former);
  }
  ~NoSigpipe() {
    const timespec none{};
    if (sigismember(&m_former, SIGPIPE) == 0)
      while (::sigtimedwait(&m_set, nullptr, &none) == SIGPIPE) {}
    pthread_sigmask(SIG_SETMASK, &m_former, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t m_set{};
  sigset_t m_former{};
};

/// Write `question` and read the whole answer.
Outcome<std::string> converse(Child& child, const LocationCommand& command, std::string_view question,
                              std::size_t longest_answer, const std::function<bool()>& is_stopped) {
  const NoSigpipe no_sigpipe;
  const TimePoint deadline = std::chrono::steady_clock::now() + command.timeout;
  std::string answer;
  std::array<char, k_read_bytes> buffer{};
  if (question.empty()) child.in().reset();
  for (;;) {
    if (is_stopped && is_stopped()) return failure(ErrorKind::cancelled, ECANCELED, "run location command", command.command);
    if (std::chrono::steady_clock::now() >= deadline) return failed(command, ETIMEDOUT);
    std::array<pollfd, 2> events{{{*child.out(), POLLIN, 0}, {child.in() ? *child.in() : -1, POLLOUT, 0}}};
    if (::poll(events.data(), events.size(), static_cast<int>(k_between_looks.count())) < 0 && errno != EINTR)
      return failed(command, errno);
    if (events[1].revents != 0) {
      const ssize_t n = ::write(*child.in(), question.data(), std::min(question.size(), k_read_bytes));
      if (n > 0) question.remove_prefix(static_cast<std::size_t>(n));
      // Who does not want to read it all may answer all the same.
      if (question.empty() || (n < 0 && errno == EPIPE)) child.in().reset();
    }
    if (events[0].revents == 0) continue;
    const ssize_t n = ::read(*child.out(), buffer.data(), buffer.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n < 0) return failed(command, errno);
    if (n == 0) return answer;
    answer.append(buffer.data(), static_cast<std::size_t>(n));
    if (answer.size() > longest_answer) return failed(command, EMSGSIZE);
  }
}

}  // namespace

std::optional<Location> parse_location(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto tab = line.find('\t');
  if (tab == 0 || tab == std::string_view::npos) return std::nullopt;
  const std::string_view number = line.substr(tab + 1);
  Location location;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), location.position);
  if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  location.volume = line.substr(0, tab);
  return location;
}

Outcome<std::vector<std::optional<Location>>> locate(const LocationCommand& command, const std::vector<std::string>& paths,
                                                     const std::function<bool()>& is_stopped) {
  std::string question;
  for (const std::string& path : paths) question.append(path).push_back('\n');
  LHSM_TRY_ASSIGN(Child child, Child::start(command));
  auto answer = converse(child, command, question, paths.size() * k_longest_answer, is_stopped);
  if (!answer) {
    child.kill();
    return Failure(answer.error());
  }
  const int status = child.end();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return failed(command, EIO);
  std::vector<std::optional<Location>> locations;
  for (std::string_view left = *answer; !left.empty();) {
    const auto end = std::min(left.find('\n'), left.size());
    if (locations.size() == paths.size()) return failure(ErrorKind::invalid, EBADMSG, "read answers of", command.command);
    locations.push_back(parse_location(left.substr(0, end)));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  // Which answer is missing nobody knows.
  if (locations.size() != paths.size()) return failure(ErrorKind::invalid, EBADMSG, "read answers of", command.command);
  return locations;
}

}  // namespace lhsm::bulk
