// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/disk.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::store {

Status Disk::write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset, const std::string& path) {
  constexpr std::size_t k_most = std::size_t{1} << 30U;  // the kernel writes less than 2 GiB at once
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), std::min(bytes.size(), k_most), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error("write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Status Disk::sync_data(int fd, const std::string& path) {
  if (::fdatasync(fd) != 0) return errno_error("fdatasync", path);
  return {};
}

Status Disk::sync(int fd, const std::string& path) {
  if (::fsync(fd) != 0) return errno_error("fsync", path);
  return {};
}

Status Disk::truncate(int fd, std::uint64_t size, const std::string& path) {
  if (::ftruncate(fd, static_cast<off_t>(size)) != 0) return errno_error("truncate", path);
  return {};
}

Status Disk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return errno_error("rename to", to);
  return {};
}

Status Disk::rename_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return errno_error("rename to", to);
  // NFS and Lustre do not know the flag.
  if (::link(from.c_str(), to.c_str()) != 0) return errno_error("rename to", to);
  return remove(from);
}

Status Disk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error("remove", path);
  return {};
}

Status Disk::sync_directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open", directory);
  return sync(*fd, directory);
}

Disk& Disk::real() {
  static Disk disk;
  return disk;
}

}  // namespace lhsm::store
