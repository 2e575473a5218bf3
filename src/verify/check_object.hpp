// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <span>

#include "lhsmtool_mpi/archive/backend.hpp"
#include "lhsmtool_mpi/comm/message.hpp"
#include "pace.hpp"

namespace lhsm::verify {

/// Carry out a task: look at the object, and read it if there is something to compare with. `buffer` is what is read at
/// a time, `pace` says how fast. When `stop` is raised the result is the error ECANCELED.
[[nodiscard]] comm::VerifyResult check_object(archive::Backend& backend, const comm::VerifyTask& task,
                                              std::span<std::byte> buffer, Pace& pace,
                                              const std::atomic<bool>& stop);

}  // namespace lhsm::verify
