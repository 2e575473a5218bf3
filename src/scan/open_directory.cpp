// SPDX-License-Identifier: LGPL-2.1-or-later
#include "open_directory.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <climits>

namespace lhsm::scan {

namespace {

constexpr int k_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// Old kernels know no openat2 (ENOSYS), some containers forbid it (EPERM): then step by step.
bool has_openat2() {
  static const bool has = [] {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH;
    const Fd fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how)));
    return static_cast<bool>(fd);
  }();
  return has;
}

int open_piece(int directory, const std::string& path) {
  if (!has_openat2()) return ::openat(directory, path.c_str(), k_flags);
  open_how how{};
  how.flags = k_flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how));
}

}  // namespace

Outcome<Fd> open_directory(int root, const std::string& path) {
  if (path.empty()) {
    Fd fd(::openat(root, ".", k_flags));
    if (!fd) return errno_error("open directory", "the mount point");
    return fd;
  }
  const std::size_t longest = has_openat2() ? PATH_MAX - 1 : 0;
  Fd held;
  for (std::size_t from = 0; from < path.size();) {
    std::size_t end = path.size();
    if (end - from > longest) {
      // As much as fits, but at least one name.
      end = longest == 0 ? path.find('/', from) : path.rfind('/', from + longest);
      if (end == std::string::npos || end <= from) end = std::min(path.find('/', from), path.size());
    }
    Fd next(open_piece(held ? *held : root, path.substr(from, end - from)));
    if (const int sys_errno = errno; !next) return errno_error("open directory", path, sys_errno);
    held = std::move(next);
    from = end + 1;
  }
  return held;
}

}  // namespace lhsm::scan
