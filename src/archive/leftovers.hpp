// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "lhsmtool_mpi/archive/beneath.hpp"
#include "making_record.hpp"

namespace lhsm::archive {

/// Bring what dead processes had in the making to an end, as their tables say, and remove the tables: an
/// object that was to be replaced stays, or comes back with what belongs to it, and all temporaries go, but
/// for the objects whose tickets (ticket.hpp) are among `wanted`, and for those of another owner (PosixOptions) than `owner`, who
/// has a month to go on with them; their tables stay with them.
/// Tables of processes that live, or may live, are left alone, and so are those of which something could
/// not be removed (the first such error is returned). Return how many files went. Nothing else of the
/// archive is looked at.
[[nodiscard]] Outcome<std::uint64_t> clear_leftovers(const Beneath& tree, const std::string& owner,
                                                     const std::set<std::string>& wanted);

}  // namespace lhsm::archive
