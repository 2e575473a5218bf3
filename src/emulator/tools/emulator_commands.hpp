// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
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
int run_env(const std::string& directory);
// Cluster commands; a wrong setting is thrown as UsageError.
int run_model(const std::string& directory, const std::vector<std::string>& words);
int run_kill_client(const std::string& directory, const std::string& client);
int run_evict(const std::string& directory, const std::string& client);

}  // namespace lhsm::emulator
