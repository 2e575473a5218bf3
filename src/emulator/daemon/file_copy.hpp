// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::emulator {

/// Make the content of `to` that of `from`: size, bytes, holes, and both times. Both are regular
/// files of one file system. Safe to repeat after a crash.
Status replace_content(int from, int to);

/// Give `to` the mode and the extended attributes (ACLs among them) of the inode at `from_path`,
/// except those that belong to the data: the layout and the emulator's own.
Status copy_inode_attributes(const std::string& from_path, int to, const std::string& skip_name_space);

}  // namespace lhsm::emulator
