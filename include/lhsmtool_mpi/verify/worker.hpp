// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "lhsmtool_mpi/archive/backend.hpp"
#include "lhsmtool_mpi/comm/channel.hpp"
#include "lhsmtool_mpi/comm/roll_call.hpp"

namespace lhsm::verify {

struct WorkerOptions {
  comm::Likeness likeness;
  std::string host;
  unsigned threads = 4;                              ///< objects that are read at once
  std::size_t buffer_bytes = std::size_t{4} << 20U;  ///< read at a time, by each
  std::uint64_t bytes_per_second = 0;                ///< that are read at most; 0: no limit
};

/// Be a rank of a verification until the dispatcher says stop. Throws Fatal.
void run_worker(comm::Channel& channel, archive::Backend& backend, const WorkerOptions& options);

/// The same for a rank that cannot work, and says why.
void run_unable_worker(comm::Channel& channel, const WorkerOptions& options, const Error& reason);

}  // namespace lhsm::verify
