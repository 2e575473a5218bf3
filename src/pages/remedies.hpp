// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

#include "lhsmtool_mpi/store/item.hpp"

namespace lhsm::pages {

/// Return what to look at, or to do, when items of a job ended so. A sentence or two.
[[nodiscard]] std::string_view remedy_for(store::ItemAction action, store::ItemResult result, int sys_errno);

}  // namespace lhsm::pages
