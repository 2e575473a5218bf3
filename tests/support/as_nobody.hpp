// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <optional>

namespace lhsm::test {

/// Run `body` in a child without privileges and return whether it returned true; nothing if there
/// can be no such child. As an ordinary user the child is that user.
inline std::optional<bool> run_as_nobody(const std::function<bool()>& body) {
  constexpr int k_impossible = 77;
  constexpr uid_t k_nobody = 65534;
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(k_nobody) != 0 || ::setuid(k_nobody) != 0)) ::_exit(k_impossible);
    ::_exit(body() ? 0 : 1);
  }
  int status = -1;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return false;
  if (WEXITSTATUS(status) == k_impossible) return std::nullopt;
  return WEXITSTATUS(status) == 0;
}

}  // namespace lhsm::test
