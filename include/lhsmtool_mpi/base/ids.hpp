// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

namespace lhsm {

/// The dispatcher's name for an action, unique within a run; cookies are unique per MDT only.
using JobId = std::uint64_t;

/// A worker is named by its MPI rank.
using WorkerId = int;

}  // namespace lhsm
