// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The layouts that directories give to what is made in them. Nobody sees a file being made on an
// ordinary directory, so a file or directory without a layout of its own has what it would have got:
// that of the nearest directory above that has one or had it taken away, else that of the root. When
// such a layout changes, what is there already is given the old one first (client/file_layout.hpp).
#pragma once

#include <string>
#include <string_view>

#include "core/attributes.hpp"

namespace lhsm::emulator {

/// Stands in a directory's xattr for "none, whatever the directories above have".
inline constexpr std::string_view k_no_layout{"\0\0\0\0", 4};

/// Exists once a directory has been given a layout: without it there is nothing to look for.
inline constexpr const char* k_layouts_in_use = ".lustre/layouts";

/// Return the bytes of an xattr as the kernel has it, "" if there are none.
[[nodiscard]] std::string stored_layout(const std::string& path, const AttributeNames& names);
[[nodiscard]] std::string stored_layout(int fd, const AttributeNames& names);

/// Return the directory part of a path relative to the mount point, "" for the mount point itself.
[[nodiscard]] std::string_view parent_of(std::string_view relative);

/// Return the layout that a new entry `relative` gets, "" for the file system's.
[[nodiscard]] std::string layout_for_entry(int mount_fd, const AttributeNames& names, std::string_view relative);

/// Return the layout that the directory passes on to its subdirectories: as layout_for_entry(), but
/// k_no_layout or "" where that takes the root's.
[[nodiscard]] std::string layout_passed_on(int mount_fd, const AttributeNames& names, std::string_view directory);

}  // namespace lhsm::emulator
