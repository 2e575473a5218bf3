// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::lustre {

/// The project of a file or directory.
struct Project {
  std::uint32_t id = 0;
  bool is_inherited = false;  ///< by what is made in the directory
};

/// What the servers know of a file without its data being touched. Of what is no regular file there are
/// only the attributes.
struct FileFacts {
  struct stat attributes {};
  Fid fid;
  std::uint32_t hsm_state = 0;  ///< HS_* bits
  std::uint32_t archive_id = 0;
  std::uint64_t stripe_size = 0;   ///< bytes, of the largest component; 0: no layout that can be read
  std::uint32_t stripe_count = 0;  ///< the largest of the components'; 65535: all OSTs
};

}  // namespace lhsm::lustre
