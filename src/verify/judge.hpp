// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/comm/message.hpp"
#include "lhsmtool_mpi/verify/verdict.hpp"

namespace lhsm::verify {

/// Judge an object by all that was found of it; `result.computed` is that of the whole. Pure code.
[[nodiscard]] Finding judge(const Candidate& candidate, const comm::VerifyResult& result);

}  // namespace lhsm::verify
