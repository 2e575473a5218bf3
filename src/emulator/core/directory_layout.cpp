// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/directory_layout.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace lhsm::emulator {

std::string stored_layout(const std::string& path, const AttributeNames& names) {
  // By system call: the library answers getxattr() for this name itself. The kernel clears a buffer of the size that
  // is given, so that the largest one is only tried where it is needed.
  char little[512];
  const auto length = ::syscall(SYS_getxattr, path.c_str(), names.layout.c_str(), little, sizeof little);
  if (length >= 0) return {little, static_cast<std::size_t>(length)};
  if (errno != ERANGE) return {};
  char value[64 * 1024];
  const auto size = ::syscall(SYS_getxattr, path.c_str(), names.layout.c_str(), value, sizeof value);
  return size <= 0 ? std::string() : std::string(value, static_cast<std::size_t>(size));
}

std::string stored_layout(int fd, const AttributeNames& names) {
  char value[64 * 1024];
  const auto size = read_attribute(fd, names.layout.c_str(), value, sizeof value);
  return size <= 0 ? std::string() : std::string(value, static_cast<std::size_t>(size));
}

std::string_view parent_of(std::string_view relative) {
  const auto slash = relative.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : relative.substr(0, slash);
}

std::string layout_passed_on(int mount_fd, const AttributeNames& names, std::string_view directory) {
  const auto root = inode_path(mount_fd) + "/";
  while (!directory.empty()) {
    auto layout = stored_layout(root + std::string(directory), names);
    if (!layout.empty()) return layout;
    directory = parent_of(directory);
  }
  return {};  // the root's own is not passed on, but asked for by all
}

std::string layout_for_entry(int mount_fd, const AttributeNames& names, std::string_view relative) {
  if (::faccessat(mount_fd, k_layouts_in_use, F_OK, 0) != 0) return {};
  auto layout = layout_passed_on(mount_fd, names, parent_of(relative));
  if (layout.empty() || layout == k_no_layout) layout = stored_layout(inode_path(mount_fd), names);
  return layout == k_no_layout ? std::string() : layout;
}

}  // namespace lhsm::emulator
