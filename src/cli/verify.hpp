// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "lhsmtool_mpi/archive/posix_backend.hpp"
#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::cli {

/// All that `lhsmtool_mpi verify` can be told.
struct VerifyOptions {
  std::string manifest;
  archive::PosixOptions archive;
  std::string agreed;                 ///< options that all ranks must have come to (comm::Likeness); may be empty
  std::string failed_list;            ///< may be empty
  unsigned threads = 4;               ///< on each rank
  std::uint64_t bandwidth = 0;        ///< bytes a second that all ranks together may read; 0: no limit
  std::chrono::seconds progress{10};  ///< 0: no lines
  bool json = false;                  ///< the summary
  log::Setup log;                     ///< host and ranks are the process' to say
};

/// Check the objects of a job's files, on all ranks. Return the exit code. Throws Fatal.
int run_verify(const VerifyOptions& options);

}  // namespace lhsm::cli
