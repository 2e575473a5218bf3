// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>
#include <hdf5.h>

#include "lhsmtool_mpi/store/library_versions.hpp"

namespace lhsm::store {

std::string hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  if (H5get_libversion(&major, &minor, &release) < 0) return "unknown";
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace lhsm::store
