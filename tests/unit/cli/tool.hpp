// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace lhsm::cli {

struct Ran {
  int code = -1;
  std::string output;  ///< stdout and stderr
};

/// Run the program with these arguments (shell words) as a plain start, for twenty seconds at most.
inline Ran run_tool(const std::string& arguments, const std::string& before = {}) {
  // Nothing of this machine's own.
  const std::string command = "LHSMTOOL_MPI_CONFIG=/dev/null " + before + " timeout 20 " LHSM_TOOL " " + arguments + " 2>&1 </dev/null";
  Ran ran;
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) ran.output.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  if (WIFEXITED(status)) ran.code = WEXITSTATUS(status);
  return ran;
}

}  // namespace lhsm::cli
