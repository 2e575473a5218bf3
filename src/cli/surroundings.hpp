// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/report/progress.hpp"

namespace lhsm::cli {

[[nodiscard]] std::string host_name();

/// Return whether a person sees our stdout as it is written. mpirun gives its ranks a pseudo-terminal
/// whatever its own stdout is, so below it the launcher's stdout decides.
[[nodiscard]] report::Style progress_style();

}  // namespace lhsm::cli
