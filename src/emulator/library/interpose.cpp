// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libc names with a Lustre meaning on emulated mounts. Everything else goes to the kernel untouched,
// by system call: looking the next library up would not be safe in every moment a program may call.
#include <linux/fs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>

#include "client/layout.hpp"
#include "library/interpose_io.hpp"
#include "library/llapi.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

constexpr std::string_view k_lustre_lov = "lustre.lov";
constexpr std::size_t k_value_max = 64 * 1024;

ssize_t kernel_fgetxattr(int fd, const char* name, void* value, std::size_t size) {
  return ::syscall(SYS_fgetxattr, fd, name, value, size);
}

/// Return the layout stored on a path, "" if there is none.
std::string stored_layout(const std::string& path, const AttributeNames& names) {
  std::string value(k_value_max, '\0');
  const auto size = ::syscall(SYS_getxattr, path.c_str(), names.layout.c_str(), value.data(), value.size());
  value.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return value;
}

ssize_t get_layout(const Mount& mount, int fd, const std::string& relative, void* value, std::size_t size) {
  const auto& names = mount.names();
  auto layout = stored_layout(inode_path(fd), names);
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -1;
  if (layout.empty()) {
    // A volatile has the layout that is set on it, or none. Other files have what their directory says.
    const bool is_volatile = relative.starts_with(std::string(k_fid_dir) + "/");
    if (is_volatile || !S_ISREG(st.st_mode)) {
      errno = ENODATA;
      return -1;
    }
    const auto slash = relative.rfind('/');
    const auto parent = mount.path() + "/" + (slash == std::string::npos ? std::string() : relative.substr(0, slash));
    layout = stored_layout(parent, names);
    const auto inherited =
        layout.empty()
            ? default_layout()
            : instantiated_layout(layout, static_cast<std::uint16_t>(mount.ost_count())).value_or(default_layout());
    layout = inherited;
  }
  if (S_ISREG(st.st_mode))
    layout = with_released_flag(layout, (read_hsm(inode_path(fd), names).flags & abi::HS_RELEASED) != 0);
  if (size == 0) return static_cast<ssize_t>(layout.size());
  if (size < layout.size()) {
    errno = ERANGE;
    return -1;
  }
  std::memcpy(value, layout.data(), layout.size());
  return static_cast<ssize_t>(layout.size());
}

int set_layout(const Mount& mount, int fd, const void* value, std::size_t size, int flags) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -1;
  const std::string_view wanted(static_cast<const char*>(value), size);
  const auto& names = mount.names();
  // A layout is given once; a file with data has got one already.
  if (S_ISREG(st.st_mode) && (st.st_size > 0 || !stored_layout(inode_path(fd), names).empty())) {
    errno = EEXIST;
    return -1;
  }
  auto layout = S_ISREG(st.st_mode) ? instantiated_layout(wanted, static_cast<std::uint16_t>(mount.ost_count()))
                                    : Outcome<std::string>(wanted);
  if (!layout) {
    errno = layout.error().sys_errno;
    return -1;
  }
  const int how = S_ISREG(st.st_mode) ? flags : 0;
  return static_cast<int>(::syscall(SYS_fsetxattr, fd, names.layout.c_str(), layout->data(), layout->size(), how));
}

}  // namespace

LHSM_EXPORT int ioctl(int fd, unsigned long command, ...) noexcept {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (is_served_ioctl(command)) {
    std::string relative;
    if (Mount* mount = find_mount(fd, &relative)) {
      const int rc = serve_ioctl(*mount, fd, relative, command, argument);
      if (rc >= 0) return rc;
      errno = -rc;
      return -1;
    }
  }
  if (command == FICLONE || command == FICLONERANGE) {
    const int from = command == FICLONE ? static_cast<int>(reinterpret_cast<std::intptr_t>(argument))
                                        : static_cast<int>(static_cast<const file_clone_range*>(argument)->src_fd);
    for (const int file : {from, fd})
      if (const int error = await_data(file); error != 0) return fail_with(error);
  }
  return static_cast<int>(::syscall(SYS_ioctl, fd, command, argument));
}

LHSM_EXPORT ssize_t fgetxattr(int fd, const char* name, void* value, std::size_t size) noexcept {
  if (name != nullptr && name == k_lustre_lov) {
    std::string relative;
    if (const Mount* mount = find_mount(fd, &relative)) return get_layout(*mount, fd, relative, value, size);
  }
  return kernel_fgetxattr(fd, name, value, size);
}

LHSM_EXPORT int fsetxattr(int fd, const char* name, const void* value, std::size_t size, int flags) noexcept {
  if (name != nullptr && name == k_lustre_lov)
    if (const Mount* mount = find_mount(fd)) return set_layout(*mount, fd, value, size, flags);
  return static_cast<int>(::syscall(SYS_fsetxattr, fd, name, value, size, flags));
}

/// What the emulator keeps on a file is not the user's to copy elsewhere.
LHSM_EXPORT ssize_t flistxattr(int fd, char* list, std::size_t size) noexcept {
  const auto length = ::syscall(SYS_flistxattr, fd, list, size);
  if (length <= 0 || size == 0) return length;
  const Mount* mount = find_mount(fd);
  if (mount == nullptr) return length;
  std::string kept;
  for (const char* name = list; name < list + length; name += std::strlen(name) + 1)
    if (name != mount->names().fid && name != mount->names().layout) kept.append(name).push_back('\0');
  std::memcpy(list, kept.data(), kept.size());
  return static_cast<ssize_t>(kept.size());
}
