// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "lhsmtool_mpi/archive/posix_backend.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/plan/scheduler.hpp"
#include "lhsmtool_mpi/run/environment.hpp"

namespace lhsm::cli {

/// All that `lhsmtool_mpi serve` can be told.
struct ServeOptions {
  std::string mount_point;
  archive::PosixOptions archive;
  std::vector<std::uint32_t> archive_ids;
  run::CopyOptions copy;
  plan::SchedulerOptions scheduler;
  std::uint64_t bandwidth_bytes_per_second = 0;  ///< of the whole run, all ranks together; 0 = no limit
  std::string control_file;                      ///< what may change while it runs (control_file.hpp); may be empty
  std::uint32_t slots = 4;
  std::chrono::seconds drain_timeout{60};
  std::chrono::seconds progress{10};
  log::Level log_level = log::Level::info;
};

/// Be a copytool until a signal says stop; on all ranks of the job. Return the exit code. Throws Fatal.
int serve(const ServeOptions& options);

}  // namespace lhsm::cli
