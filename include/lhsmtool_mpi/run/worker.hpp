// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a rank does besides dispatching: it takes jobs and extents from its channel, lets its slots
// carry them out, and answers with values. One runs on every rank, on rank 0 in a thread beside the
// dispatcher.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lhsmtool_mpi/comm/channel.hpp"
#include "lhsmtool_mpi/comm/roll_call.hpp"
#include "lhsmtool_mpi/run/environment.hpp"

namespace lhsm::run {

struct WorkerIdentity {
  comm::Likeness likeness;
  std::string host;
  std::uint32_t slots = 4;
};

/// Asks for files, in threads of the worker's (run::Errands).
using AskHandler = std::function<comm::FilesAsked(const comm::AskFiles&)>;

/// Say hello and work until the dispatcher says stop. `channel` is used by the calling thread. `ask` may be empty where no job asks.
void run_worker(comm::Channel& channel, const WorkerIdentity& identity, lustre::Client& client,
                archive::Backend& backend, const CopyOptions& options, AskHandler ask = {});

/// Say hello with the reason why this rank cannot work, and wait to be stopped.
void run_unable_worker(comm::Channel& channel, const WorkerIdentity& identity, const Error& reason);

}  // namespace lhsm::run
