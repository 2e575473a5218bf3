// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Layouts of files: reading them, setting them, and making files that have them.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "client/layout.hpp"
#include "library/layout_object.hpp"
#include "library/striping.hpp"

// Ours, see interpose_xattr.cpp.
extern "C" {
ssize_t fgetxattr(int fd, const char* name, void* value, std::size_t size) noexcept;
int fsetxattr(int fd, const char* name, const void* value, std::size_t size, int flags) noexcept;
int llapi_open_by_fid(const char* lustre_dir, const lhsm::abi::lu_fid* fid, int flags);
}

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

constexpr const char* k_lustre_lov = "lustre.lov";
constexpr std::size_t k_value_max = 64 * 1024;

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Set errno to what a place that is not on Lustre is told by.
void say_not_lustre() {
  if (errno == EOPNOTSUPP) errno = ENOTTY;
}

int set_bytes(int fd, const llapi_layout& layout) {
  const auto bytes = bytes_of(layout);
  if (!bytes) return layout_error(bytes.error().sys_errno);
  if (fsetxattr(fd, k_lustre_lov, bytes->data(), bytes->size(), 0) == 0) return 0;
  say_not_lustre();
  return -1;
}

/// Fill in the file system's values where a layout leaves them to it.
llapi_layout* with_defaults(llapi_layout* layout) {
  if (layout == nullptr) return nullptr;
  for (auto& part : layout->parts) {
    if (part.pattern == k_layout_default) part.pattern = k_layout_raid0;
    if (part.stripe_size == k_layout_default) part.stripe_size = k_default_stripe_size;
    if (part.stripe_count == k_layout_default) part.stripe_count = 1;
  }
  return layout;
}

/// The layout that a path has, or would get if it were made now.
llapi_layout* expected_layout(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) == 0) return with_defaults(llapi_layout_get_by_path(path.c_str(), 0));
  if (errno != ENOENT) return nullptr;
  return with_defaults(llapi_layout_get_by_path(directory_of(path).c_str(), 0));
}

}  // namespace

LHSM_LAYOUT_EXPORT llapi_layout* llapi_layout_get_by_fd(int fd, int /*flags*/) {
  std::string value(k_value_max, '\0');
  const auto size = fgetxattr(fd, k_lustre_lov, value.data(), value.size());
  if (size < 0) {
    if (errno == ENODATA) return llapi_layout_alloc();  // it will get the usual one
    say_not_lustre();
    return nullptr;
  }
  struct stat st {};
  if (::fstat(fd, &st) != 0) return nullptr;
  return llapi_layout_get_by_xattr(value.data(), size, S_ISDIR(st.st_mode) ? 0 : k_layout_get_check);
}

LHSM_LAYOUT_EXPORT llapi_layout* llapi_layout_get_by_path(const char* path, int flags) {
  if ((flags & k_layout_get_expected) != 0) return expected_layout(path);
  const Fd fd(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  return fd ? llapi_layout_get_by_fd(*fd, flags) : nullptr;
}

LHSM_LAYOUT_EXPORT llapi_layout* llapi_layout_get_by_fid(const char* lustre_dir, const abi::lu_fid* fid, int flags) {
  const int rc = llapi_open_by_fid(lustre_dir, fid, O_RDONLY);
  if (rc < 0) {
    errno = -rc;
    return nullptr;
  }
  const Fd fd(rc);
  return llapi_layout_get_by_fd(*fd, flags);
}

/// A second layout is not set, and that is no error: as fsetxattr() of "lustre.lov".
LHSM_LAYOUT_EXPORT int llapi_layout_file_open(const char* path, int open_flags, mode_t mode,
                                              const llapi_layout* layout) {
  if (path == nullptr || (layout != nullptr && layout->magic != llapi_layout::k_magic)) return layout_error(EINVAL);
  if (layout == nullptr) return ::open(path, open_flags & ~abi::O_LOV_DELAY_CREATE, mode);
  const Mount* mount = find_mount(std::string(path));
  llapi_layout checked = *layout;
  if (const int rc = broken_rule(checked, false, layout->mirror_count > 1, mount); rc != 0) {
    llapi_layout_sanity_perror(rc);
    return -1;
  }
  Fd fd(::open(path, open_flags & ~abi::O_LOV_DELAY_CREATE, mode));
  if (!fd || set_bytes(*fd, *layout) != 0) return -1;
  return fd.release();
}

LHSM_LAYOUT_EXPORT int llapi_layout_file_create(const char* path, int open_flags, int mode,
                                                const llapi_layout* layout) {
  return llapi_layout_file_open(path, open_flags | O_CREAT | O_EXCL, static_cast<mode_t>(mode), layout);
}

/// Since Lustre 2.17.
LHSM_LAYOUT_EXPORT int llapi_layout_set_by_fd(int fd, llapi_layout* layout) {
  if (layout == nullptr || broken_rule(*layout, false, false, nullptr) != 0) return layout_error(EINVAL);
  return set_bytes(fd, *layout);
}

/// Since Lustre 2.17.
LHSM_LAYOUT_EXPORT int llapi_layout_set_by_xattr(int fd, void* lum) {
  const auto read = [&]<class T>(T header) {
    __builtin_memcpy(static_cast<void*>(&header), lum, sizeof header);
    return header;
  };
  const auto header = read(LayoutHeader());
  std::size_t size = sizeof header;
  switch (header.magic) {
    case LayoutHeader::k_v1: break;
    case LayoutHeader::k_v3: size += LayoutHeader::k_pool_size; break;
    case LayoutHeader::k_specific: size += LayoutHeader::k_pool_size + header.stripe_count * sizeof(OstObject); break;
    case LayoutHeader::k_composite: size = read(CompositeHeader()).size; break;
    default: return layout_error(EINVAL);
  }
  return fsetxattr(fd, k_lustre_lov, lum, size, 0);
}
