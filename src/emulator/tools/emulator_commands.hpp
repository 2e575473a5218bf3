// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/settings.hpp"

namespace lhsm::emulator {

struct StartOptions {
  std::string fsname;           ///< empty: as before, or "lustre"
  std::uint32_t mdt_count = 0;  ///< 0: as before, or 1
  std::uint32_t ost_count = 0;  ///< 0: as before, or 4
  double time_scale = 1;
  bool foreground = false;
  Settings settings;
};

// Each returns the exit code of the program; what cannot go on is thrown as Fatal.
int run_start(const std::string& directory, const StartOptions& options);
int run_stop(const std::string& directory);
int run_status(const std::string& directory, bool json);
int run_restart_mdt(const std::string& directory, std::uint32_t mdt);
int run_env(const std::string& directory);
/// Become `command`, with the library loaded into it. Returns only when that fails.
int run_exec(const std::string& directory, const std::vector<std::string>& command);
/// When this program runs with the library loaded into it, run it anew without: a daemon that waits
/// for its own restores would wait for ever.
void leave_library(char** argv);
/// Copy files to stdout; wait `timeout` seconds at most (0: as long as it takes) for each that is released.
int run_cat(const std::vector<std::string>& files, unsigned timeout);

/// The library's directory: beside the program in the build tree, or where it was installed.
std::filesystem::path library_directory();
// Cluster commands; a wrong setting is thrown as UsageError.
int run_model(const std::string& directory, const std::vector<std::string>& words);
int run_kill_client(const std::string& directory, const std::string& client);
int run_evict(const std::string& directory, const std::string& client);

}  // namespace lhsm::emulator
