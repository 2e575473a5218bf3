// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <mpi.h>

#include <memory>
#include <vector>

#include "lhsmtool_mpi/comm/channel.hpp"
#include "lhsmtool_mpi/comm/mpi_session.hpp"

namespace lhsm::comm {

/// Throw Fatal with the function's name and MPI's text when `rc` is no success.
void check_mpi(int rc, const char* function);

/// MpiSession::measure_links().
[[nodiscard]] std::vector<MpiSession::Link> measure_mpi_links(MPI_Comm communicator, int rank, int size);

/// The only tag in use; the communicator is our own.
inline constexpr int k_tag = 1;

[[nodiscard]] std::unique_ptr<Channel> make_mpi_worker_channel(MPI_Comm communicator);
[[nodiscard]] std::unique_ptr<Channel> make_mpi_dispatcher_channel(MPI_Comm communicator, Channel*& local_worker);

}  // namespace lhsm::comm
