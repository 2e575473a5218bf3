// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace lhsm::store {

/// Return the version of the HDF5 library that is loaded.
[[nodiscard]] std::string hdf5_version();
/// Return the version of the xxHash library that is loaded.
[[nodiscard]] std::string xxhash_version();

}  // namespace lhsm::store
