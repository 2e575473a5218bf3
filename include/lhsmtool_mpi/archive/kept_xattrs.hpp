// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace lhsm::archive {

/// Return whether an xattr is Lustre's own record about the inode, or ours, rather than something of the user's: an archive does not
/// keep it, and no file gets it of an object. An archive that is itself on Lustre would take some as commands (trusted.lov sets a layout).
[[nodiscard]] inline bool describes_inode(std::string_view name) {
  for (const std::string_view own : {"lustre.", "trusted.lov", "trusted.lma", "trusted.lmv", "trusted.link", "trusted.hsm",
                                     "trusted.som", "trusted.fid", "trusted.version", "trusted.dmv", "trusted.lhsm",
                                     "user.lhsmtool_mpi."})
    if (name.starts_with(own)) return true;
  return false;
}

}  // namespace lhsm::archive
