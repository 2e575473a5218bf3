// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/report/progress.hpp"

namespace lhsm::cli {

/// Return whether a person sees our stdout as it is written. mpirun gives its ranks a pseudo-terminal
/// whatever its own stdout is, so below it the launcher's stdout decides.
[[nodiscard]] report::Style progress_style();

}  // namespace lhsm::cli
