// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <cstdlib>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::emulator {

/// A child process that is talked to by lines. It is killed when this goes.
class Program {
 public:
  explicit Program(std::vector<std::string> command, const std::string& node = {}) {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) std::abort();
    std::vector<char*> arguments;
    for (auto& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    m_pid = ::fork();
    if (m_pid == 0) {
      if (!node.empty()) ::setenv("LHSM_EMULATOR_NODE", node.c_str(), 1);
      if (::dup2(in[0], 0) < 0 || ::dup2(out[1], 1) < 0) ::_exit(126);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    m_to = Fd(in[1]);
    m_from = Fd(out[0]);
    ::close(in[0]);
    ::close(out[1]);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { kill(); }

  /// Return the next line, "<end>" at the end, "<nothing>" when none comes for some seconds.
  std::string line(int timeout_ms = 30'000) {
    std::string text;
    for (;;) {
      pollfd ready{*m_from, POLLIN, 0};
      if (::poll(&ready, 1, timeout_ms) <= 0) return "<nothing>";
      char c = 0;
      if (::read(*m_from, &c, 1) != 1) return "<end>";
      if (c == '\n') return text;
      text += c;
    }
  }
  void say(const std::string& text = {}) {
    const auto line = text + "\n";
    std::ignore = ::write(*m_to, line.data(), line.size());
  }
  [[nodiscard]] pid_t pid() const { return m_pid; }
  void kill() {
    if (m_pid <= 0) return;
    std::ignore = ::kill(m_pid, SIGKILL);
    std::ignore = wait();
  }
  int wait() {
    int status = 0;
    if (m_pid <= 0 || ::waitpid(m_pid, &status, 0) != m_pid) return -1;
    m_pid = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t m_pid = -1;
  Fd m_to;
  Fd m_from;
};

}  // namespace lhsm::emulator
