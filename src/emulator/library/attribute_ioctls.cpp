// SPDX-License-Identifier: LGPL-2.1-or-later
//
// ioctls about a file's attributes: its layout and its project.
#include <linux/fs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

#include "client/file_layout.hpp"
#include "library/llapi.hpp"

namespace lhsm::emulator {
namespace {

template <class T>
T read_argument(const void* argument) {
  T value{};
  std::memcpy(static_cast<void*>(&value), argument, sizeof value);
  return value;
}

/// Return the size of a layout in a caller's memory, which only its own fields tell; 0: not known.
std::size_t layout_size(const void* argument) {
  const auto header = read_argument<LayoutHeader>(argument);
  switch (header.magic) {
    case LayoutHeader::k_v1: return sizeof header;
    case LayoutHeader::k_v3: return sizeof header + LayoutHeader::k_pool_size;
    case LayoutHeader::k_specific:
      if (header.stripe_count >= LayoutHeader::k_all_osts_often) return 0;
      return sizeof header + LayoutHeader::k_pool_size + header.stripe_count * sizeof(OstObject);
    case LayoutHeader::k_composite: return read_argument<CompositeHeader>(argument).size;
    default: return 0;
  }
}

int set_stripe(const Mount& mount, int fd, const std::string& relative, const void* argument) {
  const auto size = layout_size(argument);
  if (size == 0) return -EINVAL;
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -errno;
  const std::string_view wanted(static_cast<const char*>(argument), size);
  if (S_ISDIR(st.st_mode)) return to_rc(set_directory_layout(mount, fd, relative, wanted));
  return S_ISREG(st.st_mode) ? to_rc(give_layout(mount, fd, wanted)) : -ENOTTY;
}

/// The caller's stripe count says how many objects it has room for; with 0 it gets none.
int get_stripe(const Mount& mount, int fd, const std::string& relative, void* argument) {
  const auto layout = seen_layout(mount, fd, relative);
  if (!layout) return to_rc(layout);
  const auto room = read_argument<LayoutHeader>(argument);
  auto bytes = pack_layout(*layout);
  if (layout->is_composite) {
    const auto given = read_argument<CompositeHeader>(argument);
    if (given.magic != LayoutHeader::k_composite || given.size < bytes.size()) return -EOVERFLOW;
  } else if (layout->foreign.empty() && room.stripe_count == 0) {
    bytes.resize(sizeof(LayoutHeader) + (layout->components[0].pool.empty() ? 0 : LayoutHeader::k_pool_size));
  } else if (!layout->foreign.empty() || room.stripe_count < layout->components[0].objects.size()) {
    return -EOVERFLOW;
  }
  std::memcpy(argument, bytes.data(), bytes.size());
  return 0;
}

struct Project {
  std::uint32_t id = 0;
  std::uint32_t flags = 0;
};

Project project_of(const Mount& mount, int fd) {
  Project project;
  if (::getxattr(inode_path(fd).c_str(), mount.names().project.c_str(), &project, sizeof project) != sizeof project)
    return {};
  return project;
}

/// What the kernel's file system says, where it has projects too, but for project id and inheritance.
int get_attributes(const Mount& mount, int fd, void* argument) {
  fsxattr attributes{};
  if (::syscall(SYS_ioctl, fd, FS_IOC_FSGETXATTR, &attributes) != 0) attributes = {};
  const auto project = project_of(mount, fd);
  attributes.fsx_projid = project.id;
  attributes.fsx_xflags = (attributes.fsx_xflags & ~std::uint32_t{FS_XFLAG_PROJINHERIT}) | project.flags;
  std::memcpy(argument, &attributes, sizeof attributes);
  return 0;
}

int set_attributes(const Mount& mount, int fd, const void* argument) {
  const auto attributes = read_argument<fsxattr>(argument);
  const Project project{attributes.fsx_projid, attributes.fsx_xflags & FS_XFLAG_PROJINHERIT};
  const auto path = inode_path(fd);
  const auto& name = mount.names().project;
  if (project.id == 0 && project.flags == 0)
    return ::removexattr(path.c_str(), name.c_str()) != 0 && errno != ENODATA ? -errno : 0;
  return ::setxattr(path.c_str(), name.c_str(), &project, sizeof project, 0) != 0 ? -errno : 0;
}

/// Of an open file or directory; entries by name are for lfs, which has its own way here.
int get_or_set_project(const Mount& mount, int fd, void* argument) {
  auto project = read_argument<abi::lu_project>(argument);
  if (project.project_name[0] != '\0') return -EOPNOTSUPP;
  if (project.project_type == abi::LU_PROJECT_SET) {
    fsxattr attributes{};
    attributes.fsx_projid = project.project_id;
    attributes.fsx_xflags = project.project_xflags;
    return set_attributes(mount, fd, &attributes);
  }
  if (project.project_type != abi::LU_PROJECT_GET) return -EINVAL;
  const auto found = project_of(mount, fd);
  project.project_id = found.id;
  project.project_xflags = found.flags;
  std::memcpy(argument, &project, sizeof project);
  return 0;
}

}  // namespace

bool is_attribute_ioctl(unsigned long command) {
  return command == abi::LL_IOC_PROJECT || command == k_lov_setstripe || command == k_lov_getstripe || command == FS_IOC_FSGETXATTR ||
         command == FS_IOC_FSSETXATTR;
}

int serve_attribute_ioctl(const Mount& mount, int fd, const std::string& relative, unsigned long command,
                          void* argument) {
  switch (command) {
    case k_lov_setstripe: return set_stripe(mount, fd, relative, argument);
    case k_lov_getstripe: return get_stripe(mount, fd, relative, argument);
    case abi::LL_IOC_PROJECT: return get_or_set_project(mount, fd, argument);
    case FS_IOC_FSGETXATTR: return get_attributes(mount, fd, argument);
    case FS_IOC_FSSETXATTR: return set_attributes(mount, fd, argument);
    default: return -ENOTTY;
  }
}

}  // namespace lhsm::emulator
