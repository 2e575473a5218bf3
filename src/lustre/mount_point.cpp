// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/lustre/mount_point.hpp"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <climits>
#include <cstdlib>

#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::lustre {

namespace {

bool is_emulated_root(const std::string& directory) {
  struct stat marker {};
  return ::stat((directory + "/.lustre/lhsm_emulator").c_str(), &marker) == 0 && S_ISREG(marker.st_mode);
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Outcome<std::string> mount_point_of(const std::string& path) {
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) return errno_error("resolve", path);
  struct statfs system {};
  struct stat here {};
  if (::statfs(resolved, &system) != 0 || ::stat(resolved, &here) != 0) return errno_error("stat", path);
  const bool is_lustre = system.f_type == abi::LL_SUPER_MAGIC;
  for (std::string at = resolved;; at = parent_of(at)) {
    if (!is_lustre && is_emulated_root(at)) return at;
    struct stat above {};
    if (at == "/" || ::stat(parent_of(at).c_str(), &above) != 0 || above.st_dev != here.st_dev) {
      if (is_lustre) return at;
      return failure(ErrorKind::unsupported, ENODEV, "find a Lustre file system at", path);
    }
  }
}

}  // namespace lhsm::lustre
