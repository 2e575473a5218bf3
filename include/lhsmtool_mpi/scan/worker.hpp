// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/comm/channel.hpp"
#include "lhsmtool_mpi/comm/roll_call.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/scan/walker.hpp"

namespace lhsm::scan {

/// Who a rank is, to rank 0.
struct RankIdentity {
  comm::Likeness likeness;
  std::string host;
};

/// Be a rank of a scan until the dispatcher says stop. Throws Fatal.
void run_worker(comm::Channel& channel, const RankIdentity& identity, lustre::Client& client, const ScanOptions& options);

/// The same for a rank that cannot work, and says why.
void run_unable_worker(comm::Channel& channel, const RankIdentity& identity, const Error& reason);

}  // namespace lhsm::scan
