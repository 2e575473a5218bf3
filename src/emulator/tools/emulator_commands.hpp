// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

#include "core/settings.hpp"

namespace lhsm::emulator {

struct StartOptions {
  std::string fsname;           ///< empty: as before, or "lustre"
  std::uint32_t mdt_count = 0;  ///< 0: as before, or 1
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

}  // namespace lhsm::emulator
