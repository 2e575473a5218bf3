// SPDX-License-Identifier: LGPL-2.1-or-later
#include "volatile_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace lhsm::lustre {

namespace {

constexpr const char* k_header = ".\x0c\x13\x14\x12:VOLATILE";  // LUSTRE_VOLATILE_HDR
constexpr int k_attempts = 100;

/// No two at once in this directory from this client need to be told apart by more.
unsigned next_number() {
  static std::atomic<unsigned> numbers{static_cast<unsigned>(::getpid()) << 16};
  return ++numbers;
}

constexpr int k_directory_flags = O_PATH | O_DIRECTORY | O_CLOEXEC;

/// As openat2() with the flags below, for kernels that do not know it.
Fd walk_to(int mount, const std::string& directory) {
  Fd at(::openat(mount, ".", k_directory_flags));
  for (std::size_t from = 0; at && from < directory.size();) {
    const std::size_t slash = std::min(directory.find('/', from), directory.size());
    at = Fd(::openat(*at, directory.substr(from, slash - from).c_str(), k_directory_flags | O_NOFOLLOW));
    from = slash + 1;
  }
  struct stat top {};
  struct stat found {};
  if (!at || ::fstat(mount, &top) != 0 || ::fstat(*at, &found) != 0) return {};
  if (found.st_dev == top.st_dev) return at;
  errno = EXDEV;
  return {};
}

Fd open_directory(int mount, const std::string& directory) {
  open_how how{};
  how.flags = k_directory_flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  Fd opened(static_cast<int>(::syscall(SYS_openat2, mount, directory.c_str(), &how, sizeof how)));
  if (!opened && (errno == ENOSYS || errno == EPERM)) return walk_to(mount, directory);
  return opened;
}

}  // namespace

Outcome<Fd> make_volatile(int mount, const std::string& directory, int mdt_index, int flags, int like) {
  const Fd parent = open_directory(mount, directory);
  if (!parent) return errno_error("create volatile file in", directory);
  for (int attempt = 1;; ++attempt) {
    std::string name = fmt::format("{}:", k_header);
    if (mdt_index >= 0) name += fmt::format("{:04X}", mdt_index);
    name += fmt::format(":{:04X}", next_number());
    if (like >= 0) name += fmt::format(":fd={:02}", like);
    Fd made(::openat(*parent, name.c_str(), flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (made) return made;
    if (errno != EEXIST || attempt == k_attempts) return errno_error("create volatile file in", directory);
  }
}

}  // namespace lhsm::lustre
