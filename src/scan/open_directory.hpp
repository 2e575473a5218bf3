// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::scan {

/// Open the directory `path` below `root` for reading, "" being the root itself. No symbolic link is followed on the way,
/// even one that was made while the scan ran: ELOOP or ENOTDIR. A path may be longer than PATH_MAX.
[[nodiscard]] Outcome<Fd> open_directory(int root, const std::string& path);

}  // namespace lhsm::scan
