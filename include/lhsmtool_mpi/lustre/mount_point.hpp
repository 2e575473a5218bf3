// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::lustre {

/// Return the mount point of the Lustre (or emulated) file system that holds `path`, without symbolic links;
/// `path` must exist. `unsupported` with ENODEV when it is on neither.
[[nodiscard]] Outcome<std::string> mount_point_of(const std::string& path);

}  // namespace lhsm::lustre
