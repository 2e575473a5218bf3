// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/run/worker.hpp"

namespace lhsm::run {

/// What a worker says first.
[[nodiscard]] comm::Hello hello_of(const WorkerIdentity& identity, const std::string& file_system);

}  // namespace lhsm::run
