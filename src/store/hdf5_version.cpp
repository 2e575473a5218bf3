// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>
#include <hdf5.h>

#include "hdf5_handles.hpp"
#include "lhsmtool_mpi/store/library_versions.hpp"

namespace lhsm::store {

std::string hdf5_version() {
  const QuietHdf5 quiet;  // this may be the first call of all
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  if (H5get_libversion(&major, &minor, &release) < 0) return "unknown";
  return fmt::format("{}.{}.{}", major, minor, release);
}

bool is_hdf5_thread_safe() {
  const QuietHdf5 quiet;
  hbool_t is_safe = 0;
  return H5is_library_threadsafe(&is_safe) >= 0 && is_safe;
}

}  // namespace lhsm::store
