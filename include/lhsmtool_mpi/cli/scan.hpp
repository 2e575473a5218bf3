// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/scan/walker.hpp"

namespace lhsm::cli {

/// All that `lhsmtool_mpi scan` can be told.
struct ScanCommand {
  std::vector<std::string> paths;  ///< to go through; with a list, any one path of the file system
  std::string list;                ///< a file of paths and FIDs, "-" for stdin of rank 0; empty: none
  bool nul_separated = false;      ///< the list's entries end with a NUL, not a line end
  std::string output;              ///< the manifest
  std::string failed_list;         ///< gets what could not be looked at; may be empty
  bool replace = false;            ///< a manifest that is there
  std::string agreed;              ///< options that all ranks must have come to (comm::Likeness); may be empty
  std::string command_line;        ///< for the manifest's record of runs
  scan::ScanOptions options;
  std::chrono::seconds progress{10};  ///< 0: no lines
  log::Setup log;                     ///< host and ranks are the process' to say
};

class Process;

/// What a scan came to, on rank 0.
struct ScanResult {
  int code = 0;              ///< exit code
  bool is_complete = false;  ///< there is a manifest
  int stop_signal = 0;       ///< that was heard, also when it came too late to stop anything
};

/// Write a manifest of what is found; on all ranks of the job. Return the exit code. Throws Fatal.
int run_scan(const ScanCommand& command);
/// The same as one thing of several that a process does. Signals are held afterwards.
[[nodiscard]] ScanResult run_scan(const ScanCommand& command, Process& process);

}  // namespace lhsm::cli
