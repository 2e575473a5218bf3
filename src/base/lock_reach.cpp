// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/lock_reach.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

namespace lhsm {

namespace {

// f_type of statfs(2).
constexpr std::array<std::uint32_t, 11> k_known = {
    0xEF53,      // ext2, ext3, ext4
    0x58465342,  // xfs
    0x9123683E,  // btrfs
    0x01021994,  // tmpfs
    0x858458F6,  // ramfs
    0x794C7630,  // overlayfs
    0x2FC12FC1,  // zfs
    0xF2F52010,  // f2fs
    0xCA451A4E,  // bcachefs
    0x47504653,  // GPFS
    0x00C36400,  // CephFS
};
// These have mount options that say otherwise.
constexpr std::uint32_t k_nfs = 0x6969;
constexpr std::uint32_t k_lustre = 0x0BD00BD0;

}  // namespace

bool has_local_locks(std::string_view line) {
  while (!line.empty()) {
    const auto end = std::min(line.find_first_of(" ,"), line.size());
    const auto option = line.substr(0, end);
    for (const std::string_view local : {"localflock", "nolock", "local_lock=all", "local_lock=posix"})
      if (option == local) return true;
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return false;
}

bool locks_reach_all_hosts(int fd) {
  struct statfs system {};
  struct stat file {};
  if (::fstatfs(fd, &system) != 0 || ::fstat(fd, &file) != 0) return false;
  const auto type = static_cast<std::uint32_t>(system.f_type);
  if (std::find(k_known.begin(), k_known.end(), type) != k_known.end()) return true;
  if (type != k_nfs && type != k_lustre) return false;
  const std::string device = fmt::format(" {}:{} ", major(file.st_dev), minor(file.st_dev));
  std::ifstream mounts("/proc/self/mountinfo");
  bool found = false;
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(device) == std::string::npos) continue;
    if (has_local_locks(line)) return false;
    found = true;
  }
  return found;
}

}  // namespace lhsm
