// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace lhsm::store {

/// Return the version of the HDF5 library that is loaded.
[[nodiscard]] std::string hdf5_version();
/// Whether that library may be called by several threads, as Debian's may; a build of one's own need not.
[[nodiscard]] bool is_hdf5_thread_safe();
/// Return the version of the xxHash library that is loaded.
[[nodiscard]] std::string xxhash_version();

}  // namespace lhsm::store
