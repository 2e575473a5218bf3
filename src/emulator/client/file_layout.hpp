// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The layouts of the files and directories of a mount: kept in an xattr of theirs, or following from
// their directory (core/directory_layout.hpp).
#pragma once

#include "client/layout.hpp"
#include "client/mount.hpp"

namespace lhsm::emulator {

[[nodiscard]] OstMap ost_map(const Mount& mount);

/// Return the layout of an open file, or the one that an open directory gives to its files. `relative`
/// is the path of the descriptor below the mount point. ENODATA: a volatile that has none yet, or
/// something that is neither file nor directory.
Outcome<Layout> seen_layout(const Mount& mount, int fd, const std::string& relative);

/// Give a file a layout. EEXIST: it has one, or has data; EINVAL, ENODEV, ERANGE: check_layout(),
/// parse_layout().
Status give_layout(const Mount& mount, int fd, std::string_view wanted);

/// Give a new file the layout of the directory that `relative` lies in. Leaves one that it has.
Status give_default_layout(const Mount& mount, int fd, std::string_view relative);

/// Set the layout that a directory gives to what will be made in it; an empty one takes it away. What
/// is there already keeps the layout it has.
Status set_directory_layout(const Mount& mount, int fd, const std::string& relative, std::string_view wanted);

/// Return whether a path below the mount point is that of a volatile.
[[nodiscard]] bool is_volatile_path(std::string_view relative);

}  // namespace lhsm::emulator
