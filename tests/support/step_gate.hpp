// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Stands before the system calls that change a directory or make something durable, and at the n-th of
// them kills the process or lets the call fail. It works by defining those functions in the test
// program, so that it may be included in one source file of a program only.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

namespace lhsm::test {

struct StepGate {
  int count = 0;                   ///< steps since arm()
  int at = 0;                      ///< the step at which something happens; 0 = never
  int sys_errno = 0;               ///< what it fails with; 0 = the process is killed instead
  std::string only;                ///< the calls that are counted, all if empty
  std::string last_call;           ///< of the step at which something happened
  std::vector<std::string> calls;  ///< all that were counted since arm()

  static constexpr int k_killed = 42;

  void arm(int step, int error, std::string_view those = "") {
    count = 0;
    at = step;
    sys_errno = error;
    only = those;
    last_call.clear();
    calls.clear();
  }
  /// Only look on: nothing happens at any step.
  void watch(std::string_view those = "") { arm(1'000'000, EIO, those); }
  void disarm() { at = 0; }

  /// Return whether the call may be made; errno is set if not.
  bool pass(std::string_view call) {
    if (at == 0 || (!only.empty() && only != call)) return true;
    calls.emplace_back(call);
    if (++count != at) return true;
    if (sys_errno == 0) ::_exit(k_killed);
    last_call = call;
    errno = sys_errno;
    return false;
  }
};

inline StepGate& step_gate() {
  static StepGate gate;
  return gate;
}

}  // namespace lhsm::test

extern "C" {

int fsync(int fd) {
  if (!lhsm::test::step_gate().pass("fsync")) return -1;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

int renameat(int from_dir, const char* from, int to_dir, const char* to) noexcept {
  if (!lhsm::test::step_gate().pass("renameat")) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, from_dir, from, to_dir, to, 0U));
}

int linkat(int from_dir, const char* from, int to_dir, const char* to, int flags) noexcept {
  if (!lhsm::test::step_gate().pass("linkat")) return -1;
  return static_cast<int>(::syscall(SYS_linkat, from_dir, from, to_dir, to, flags));
}

int unlinkat(int dir, const char* path, int flags) noexcept {
  if (!lhsm::test::step_gate().pass("unlinkat")) return -1;
  return static_cast<int>(::syscall(SYS_unlinkat, dir, path, flags));
}

int mkdirat(int dir, const char* path, mode_t mode) noexcept {
  if (!lhsm::test::step_gate().pass("mkdirat")) return -1;
  return static_cast<int>(::syscall(SYS_mkdirat, dir, path, mode));
}

}  // extern "C"
