// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The xattr calls of libc: "lustre.lov" (and "trusted.lov", which is the same) on emulated mounts, for root what
// library/shown_attributes.hpp names, and lists without what the emulator keeps on a file. Everything else goes to
// the kernel untouched.
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "client/file_layout.hpp"
#include "library/llapi.hpp"
#include "library/shown_attributes.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

constexpr std::size_t k_list_max = 64 * 1024;
constexpr const char k_lustre_lov[] = "lustre.lov";

bool is_layout_name(const char* name) {
  if (name == nullptr) return false;
  const std::string_view text(name);
  return text == k_lustre_lov || (text == "trusted.lov" && ::geteuid() == 0);
}

int fail(int sys_errno) {
  errno = sys_errno;
  return -1;
}

ssize_t get_layout(const Mount& mount, int fd, const std::string& relative, void* value, std::size_t size) {
  auto layout = seen_layout(mount, fd, relative);
  if (!layout) return fail(layout.error().sys_errno);
  struct stat st {};
  // A generation would be taken for a stripe offset when the value is set on another file.
  if (!layout->is_composite && layout->foreign.empty() && ::fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
    layout->components.at(0).header.stripe_offset = 0;
  const auto bytes = pack_layout(*layout);
  if (size == 0) return static_cast<ssize_t>(bytes.size());
  if (size < bytes.size()) return fail(ERANGE);
  std::memcpy(value, bytes.data(), bytes.size());
  return static_cast<ssize_t>(bytes.size());
}

/// A stripe offset of 0 in a plain layout comes from get_layout(), and means "any".
std::string without_generation(std::string_view value) {
  std::string bytes(value);
  LayoutHeader header;
  std::memcpy(static_cast<void*>(&header), bytes.data(), sizeof header);
  if (header.magic != LayoutHeader::k_composite && header.magic != LayoutHeader::k_foreign && header.stripe_offset == 0)
    return with_generation(std::move(bytes), LayoutHeader::k_any_ost);
  return bytes;
}

/// Set, or with no value take away. Not being able to give a second layout is no error, for the sake of
/// programs that copy all xattrs.
int set_layout(const Mount& mount, int fd, const std::string& relative, const void* value, std::size_t size) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -1;
  if (size != 0 && size < sizeof(LayoutHeader)) return fail(ERANGE);
  std::string wanted;
  if (size != 0) wanted = without_generation({static_cast<const char*>(value), size});
  if (S_ISDIR(st.st_mode)) {
    const auto set = set_directory_layout(mount, fd, relative, wanted);
    return set ? 0 : fail(set.error().sys_errno);
  }
  if (!S_ISREG(st.st_mode) || size == 0) return 0;
  // What is of no known kind is of no known size either.
  if (!parse_layout(wanted)) return fail(ERANGE);
  const auto given = give_layout(mount, fd, wanted);
  return given || given.error().sys_errno == EEXIST ? 0 : fail(given.error().sys_errno);
}

/// The mount and the descriptor that a call by path is about; none for other names and places.
struct Target {
  Fd fd;
  const Mount* mount = nullptr;
  std::string relative;

  Target(const char* path, int flags) {
    fd = Fd(::open(path, O_PATH | O_CLOEXEC | flags));
    if (fd) mount = find_mount(*fd, &relative);
  }
};

/// Return whether get_layout() would find one, without reading it where there is one in any case.
bool has_layout(const Mount& mount, int fd, const std::string& relative) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return false;
  if (S_ISREG(st.st_mode) && is_volatile_path(relative)) return seen_layout(mount, fd, relative).has_value();
  return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
}

/// Copy a list without the emulator's own names, with the layout's; the result of a listxattr().
ssize_t shown_list(const Mount& mount, int fd, const std::string& relative, std::string_view names, char* list,
                   std::size_t size) {
  std::string kept;
  for (; !names.empty(); names.remove_prefix(names.find('\0') + 1)) {
    const auto name = names.substr(0, names.find('\0'));
    if (name != mount.names().fid && name != mount.names().layout && name != mount.names().project)
      kept.append(name).push_back('\0');
  }
  if (has_layout(mount, fd, relative)) kept.append(k_lustre_lov, sizeof k_lustre_lov);
  if (size == 0) return static_cast<ssize_t>(kept.size());
  if (kept.size() > size) return fail(ERANGE);
  std::memcpy(list, kept.data(), kept.size());
  return static_cast<ssize_t>(kept.size());
}

ssize_t list_by_path(long call, const char* path, char* list, std::size_t size, int flags) {
  char names[k_list_max];
  const auto length = ::syscall(call, path, names, sizeof names);
  if (length < 0) return length;
  const Target target(path, flags);
  if (target.mount == nullptr) return ::syscall(call, path, list, size);
  return shown_list(*target.mount, *target.fd, target.relative, {names, static_cast<std::size_t>(length)}, list, size);
}

ssize_t get_by_path(long call, const char* path, const char* name, void* value, std::size_t size, int flags) {
  if (is_server_attribute(name)) return get_server_attribute(call, path, name, value, size);
  if (is_layout_name(name))
    if (const Target target(path, flags); target.mount != nullptr)
      return get_layout(*target.mount, *target.fd, target.relative, value, size);
  return ::syscall(call, path, name, value, size);
}

int set_by_path(long call, const char* path, const char* name, const void* value, std::size_t size, int how,
                int flags) {
  if (is_layout_name(name))
    if (const Target target(path, flags); target.mount != nullptr)
      return set_layout(*target.mount, *target.fd, target.relative, value, size);
  return static_cast<int>(::syscall(call, path, name, value, size, how));
}

int remove_by_path(long call, const char* path, const char* name, int flags) {
  if (is_layout_name(name))
    if (const Target target(path, flags); target.mount != nullptr)
      return set_layout(*target.mount, *target.fd, target.relative, nullptr, 0);
  return static_cast<int>(::syscall(call, path, name));
}

}  // namespace

LHSM_EXPORT ssize_t fgetxattr(int fd, const char* name, void* value, std::size_t size) noexcept {
  if (is_layout_name(name)) {
    std::string relative;
    if (const Mount* mount = find_mount(fd, &relative)) return get_layout(*mount, fd, relative, value, size);
  }
  return ::syscall(SYS_fgetxattr, fd, name, value, size);
}

LHSM_EXPORT int fsetxattr(int fd, const char* name, const void* value, std::size_t size, int flags) noexcept {
  if (is_layout_name(name)) {
    std::string relative;
    if (const Mount* mount = find_mount(fd, &relative)) return set_layout(*mount, fd, relative, value, size);
  }
  return static_cast<int>(::syscall(SYS_fsetxattr, fd, name, value, size, flags));
}

LHSM_EXPORT int fremovexattr(int fd, const char* name) noexcept {
  if (is_layout_name(name)) {
    std::string relative;
    if (const Mount* mount = find_mount(fd, &relative)) return set_layout(*mount, fd, relative, nullptr, 0);
  }
  return static_cast<int>(::syscall(SYS_fremovexattr, fd, name));
}

LHSM_EXPORT ssize_t flistxattr(int fd, char* list, std::size_t size) noexcept {
  std::string relative;
  const Mount* mount = find_mount(fd, &relative);
  if (mount == nullptr) return ::syscall(SYS_flistxattr, fd, list, size);
  char names[k_list_max];
  const auto length = ::syscall(SYS_flistxattr, fd, names, sizeof names);
  if (length < 0) return length;
  return shown_list(*mount, fd, relative, {names, static_cast<std::size_t>(length)}, list, size);
}

LHSM_EXPORT ssize_t getxattr(const char* path, const char* name, void* value, std::size_t size) noexcept {
  return get_by_path(SYS_getxattr, path, name, value, size, 0);
}
LHSM_EXPORT ssize_t lgetxattr(const char* path, const char* name, void* value, std::size_t size) noexcept {
  return get_by_path(SYS_lgetxattr, path, name, value, size, O_NOFOLLOW);
}
LHSM_EXPORT int setxattr(const char* path, const char* name, const void* value, std::size_t size, int flags) noexcept {
  return set_by_path(SYS_setxattr, path, name, value, size, flags, 0);
}
LHSM_EXPORT int lsetxattr(const char* path, const char* name, const void* value, std::size_t size, int flags) noexcept {
  return set_by_path(SYS_lsetxattr, path, name, value, size, flags, O_NOFOLLOW);
}
LHSM_EXPORT int removexattr(const char* path, const char* name) noexcept {
  return remove_by_path(SYS_removexattr, path, name, 0);
}
LHSM_EXPORT int lremovexattr(const char* path, const char* name) noexcept {
  return remove_by_path(SYS_lremovexattr, path, name, O_NOFOLLOW);
}
LHSM_EXPORT ssize_t listxattr(const char* path, char* list, std::size_t size) noexcept {
  return list_by_path(SYS_listxattr, path, list, size, 0);
}
LHSM_EXPORT ssize_t llistxattr(const char* path, char* list, std::size_t size) noexcept {
  return list_by_path(SYS_llistxattr, path, list, size, O_NOFOLLOW);
}
