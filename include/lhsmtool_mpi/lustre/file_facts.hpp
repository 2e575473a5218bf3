// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::lustre {

/// What is known of a name before it is looked at.
enum class KnownKind : std::uint8_t { unknown, regular_file };

/// Where a file's HSM state, FID and project are taken from.
enum class FactsFrom : std::uint8_t {
  servers,  ///< asked through the open file: as they are now. Open, state and close are three requests to its MDT
  xattrs,   ///< one request, or none. As old as the last Client::forget_xattrs() at most
  xattrs_of_released,  ///< the same of what is released; no request at all of what is known not to be
};

/// What the servers know of a file without its data being touched. Of what is no regular file there are
/// only the attributes.
struct FileFacts {
  struct stat attributes {};
  bool is_known_not_released = false;  ///< with FactsFrom::xattrs_of_released: nothing is told but kind and device
  Fid fid;
  std::uint32_t hsm_state = 0;  ///< HS_* bits
  std::uint32_t archive_id = 0;
  std::uint32_t project_id = 0;  ///< 0 where there are no projects
  std::uint64_t stripe_size = 0;   ///< bytes, of the largest component; 0: no layout that can be read
  std::uint32_t stripe_count = 0;  ///< the largest of the components'; 65535: all OSTs
};

}  // namespace lhsm::lustre
