// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/pages/statistics.hpp"

namespace lhsm::pages {

// Each returns a section of the page, or nothing where there is nothing to show.
[[nodiscard]] std::string courses(const Statistics& statistics);
[[nodiscard]] std::string rank_activity(const Statistics& statistics);
[[nodiscard]] std::string distributions(const Statistics& statistics);

}  // namespace lhsm::pages
