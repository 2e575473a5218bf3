// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/file_layout.hpp"

#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <atomic>

#include "client/default_layouts.hpp"
#include "client/pools.hpp"
#include "core/directory_layout.hpp"
#include "core/socket.hpp"
#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::emulator {
namespace {

Failure no_layout() { return errno_error("layout", "lustre.lov", ENODATA); }

/// Where a file begins of which nobody said it: the same at every look.
std::uint16_t first_ost_of(const Mount& mount, const struct stat& st) {
  return static_cast<std::uint16_t>(st.st_ino % mount.ost_count());
}

/// Files that are given a layout begin on one OST after the other.
std::uint16_t next_ost(const Mount& mount) {
  static std::atomic<std::uint32_t> turn{static_cast<std::uint32_t>(::getpid())};
  return static_cast<std::uint16_t>(turn.fetch_add(1, std::memory_order_relaxed) % mount.ost_count());
}

Status store(const Mount& mount, int fd, const Layout& layout, int how) {
  const auto bytes = pack_layout(layout);
  const char* name = mount.names().layout.c_str();
  // By system call: the library answers fsetxattr() for this name itself. A descriptor that is a path only
  // needs the way through /proc.
  auto rc = ::syscall(SYS_fsetxattr, fd, name, bytes.data(), bytes.size(), how);
  if (rc != 0 && errno == EBADF)
    rc = ::syscall(SYS_setxattr, inode_path(fd).c_str(), name, bytes.data(), bytes.size(), how);
  if (rc != 0) return errno_error("set layout", "lustre.lov");
  return {};
}

/// Return a layout from a directory as a file's; what is damaged counts as none.
Layout from_default(const Mount& mount, const std::string& bytes, std::uint16_t first_ost) {
  if (!bytes.empty())
    if (auto layout = parse_layout(bytes); layout && check_layout(*layout, ost_map(mount)))
      return instantiated_layout(std::move(*layout), ost_map(mount), first_ost);
  return default_layout(ost_map(mount), first_ost);
}

Outcome<Layout> directory_layout(const Mount& mount, const std::string& relative) {
  auto bytes = layout_for_entry(mount.root_fd(), mount.names(), relative.empty() ? "" : relative + "/x");
  if (!bytes.empty()) return parse_layout(bytes);
  Layout usual;
  usual.components.resize(1);
  auto& header = usual.components[0].header;
  header.object_seq = ~std::uint64_t{0};  // FID_SEQ_LOV_DEFAULT: nobody set it
  header.stripe_size = k_default_stripe_size;
  header.stripe_count = 1;
  header.stripe_offset = LayoutHeader::k_any_ost;
  return usual;
}

}  // namespace

OstMap ost_map(const Mount& mount) {
  OstMap osts;
  osts.count = static_cast<std::uint16_t>(mount.ost_count());
  osts.pool = [&mount](std::string_view pool) { return pool_members(mount, pool); };
  return osts;
}

bool is_volatile_path(std::string_view relative) {
  return relative.starts_with(k_fid_dir) && relative.substr(std::string_view(k_fid_dir).size()).starts_with('/');
}

Outcome<Layout> seen_layout(const Mount& mount, int fd, const std::string& relative) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return errno_error("stat", relative);
  if (S_ISDIR(st.st_mode)) return directory_layout(mount, relative);
  if (!S_ISREG(st.st_mode)) return no_layout();
  auto bytes = stored_layout(fd, mount.names());
  Layout layout;
  if (!bytes.empty()) {
    LHSM_TRY_ASSIGN(layout, parse_layout(bytes));
  } else {
    if (is_volatile_path(relative)) return no_layout();
    layout = from_default(mount, layout_for_entry(mount.root_fd(), mount.names(), relative),
                          first_ost_of(mount, st));
  }
  FileFacts facts;
  facts.size = static_cast<std::uint64_t>(st.st_size);
  facts.is_released = (read_hsm(fd, mount.names()).flags & abi::HS_RELEASED) != 0;
  facts.object = st.st_ino;
  const auto tag = read_tag(fd, mount.names());
  if (tag && tag->inode == static_cast<std::uint32_t>(st.st_ino)) facts.fid = tag->fid();
  return layout_as_seen(std::move(layout), facts, ost_map(mount));
}

Status give_layout(const Mount& mount, int fd, std::string_view wanted) {
  LHSM_TRY_ASSIGN(Layout layout, parse_layout(wanted));
  struct stat st {};
  if (::fstat(fd, &st) != 0) return errno_error("stat", "file");
  if (!S_ISREG(st.st_mode)) return errno_error("set layout", "lustre.lov", EINVAL);
  // A layout is given once; a file with data has got one already.
  if (st.st_size > 0 || !stored_layout(fd, mount.names()).empty())
    return errno_error("set layout", "lustre.lov", EEXIST);
  LHSM_TRY(check_layout(layout, ost_map(mount)));
  return store(mount, fd, instantiated_layout(std::move(layout), ost_map(mount), next_ost(mount)), XATTR_CREATE);
}

Status give_default_layout(const Mount& mount, int fd, std::string_view relative) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return errno_error("stat", relative);
  const auto bytes = layout_for_entry(mount.root_fd(), mount.names(), relative);
  const auto stored = store(mount, fd, from_default(mount, bytes, first_ost_of(mount, st)), XATTR_CREATE);
  return !stored && stored.error().sys_errno == EEXIST ? Status{} : stored;
}

Status set_directory_layout(const Mount& mount, int fd, const std::string& relative, std::string_view wanted) {
  std::string bytes;
  if (!wanted.empty()) {
    LHSM_TRY_ASSIGN(Layout layout, parse_layout(wanted));
    LHSM_TRY(check_layout(layout, ost_map(mount)));
    if (!layout.foreign.empty()) return errno_error("set layout", relative, EINVAL);
    for (auto& component : layout.components) {
      if (component.header.pattern == 0) component.header.pattern = LayoutHeader::k_raid0;
      if (is_reserved_pool(component.pool)) component.pool.clear();
    }
    if (!is_empty_default(layout)) bytes = pack_layout(layout);
  }
  return change_directory_layout(mount, fd, relative, bytes);
}

}  // namespace lhsm::emulator
