// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/default_layouts.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "client/file_layout.hpp"
#include "core/directory_layout.hpp"

namespace lhsm::emulator {
namespace {

Status store(const Mount& mount, int fd, std::string_view bytes) {
  const auto path = inode_path(fd);
  if (::syscall(SYS_setxattr, path.c_str(), mount.names().layout.c_str(), bytes.data(), bytes.size(), 0) != 0)
    return errno_error("set layout", mount.path());
  return {};
}

/// Make the present layout of everything in a directory its own. `recurses`: and below it, which the
/// root's needs, since it holds wherever no other does.
Status keep_layouts_below(const Mount& mount, int directory, const std::string& relative, bool recurses) {
  const int again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return errno_error("open", relative);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(again), &::closedir);
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name(entry->d_name);
    if (name == "." || name == ".." || (relative.empty() && name == ".lustre")) continue;
    const auto path = relative.empty() ? std::string(name) : relative + "/" + std::string(name);
    const Fd file(::openat(directory, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat st {};
    if (!file || ::fstat(*file, &st) != 0) {
      if (errno == ENOENT || errno == ELOOP || errno == ENXIO) continue;  // gone, a link, a socket
      return errno_error("open", path);
    }
    const auto own = stored_layout(*file, mount.names());
    if (S_ISREG(st.st_mode) && own.empty()) {
      LHSM_TRY(give_default_layout(mount, *file, path));
    } else if (S_ISDIR(st.st_mode) && recurses) {
      LHSM_TRY(keep_layouts_below(mount, *file, path, true));
    } else if (S_ISDIR(st.st_mode) && own.empty()) {
      const auto passed_on = layout_passed_on(mount.root_fd(), mount.names(), relative);
      LHSM_TRY(store(mount, *file, passed_on.empty() ? k_no_layout : std::string_view(passed_on)));
    }
  }
  return {};
}

}  // namespace

Status change_directory_layout(const Mount& mount, int fd, const std::string& relative, const std::string& bytes) {
  const Fd in_use(::openat(mount.root_fd(), k_layouts_in_use, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!in_use) return errno_error("create", k_layouts_in_use);
  LHSM_TRY(keep_layouts_below(mount, fd, relative, relative.empty()));
  return store(mount, fd, bytes.empty() ? k_no_layout : std::string_view(bytes));
}

}  // namespace lhsm::emulator
