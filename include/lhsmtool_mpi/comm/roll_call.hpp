// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How a dispatcher finds that all ranks are there at the beginning, and gone at the end.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "lhsmtool_mpi/comm/channel.hpp"

namespace lhsm::comm {

/// Wait until all ranks have said Hello, and return those in the order of ranks; nothing when `stop` became true
/// meanwhile. Other messages that come before are passed over. Throws Fatal when a rank cannot work, is of another
/// build, or is silent for two minutes.
[[nodiscard]] std::vector<Hello> greet(Channel& channel, int ranks, const std::string& build,
                                       const std::atomic<bool>& stop);

/// Send all ranks home. Return whether all have gone within half a minute; other messages are passed over.
[[nodiscard]] bool dismiss(Channel& channel, int ranks);

}  // namespace lhsm::comm
