// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <sys/stat.h>

#include "client/blocked_reader.hpp"
#include "client/emulated_devices.hpp"
#include "client/own_io.hpp"
#include "library/interpose_io.hpp"
#include "library/lhsm_emulator.h"

namespace lhsm::emulator {
namespace {

/// A file that was found not to be released. It stays so while it is open, since a release wants to be
/// alone; a release between two opens shows in the change time.
struct Seen {
  int fd;
  dev_t device;
  ino_t inode;
  timespec changed;

  [[nodiscard]] bool is_file(int other, const struct stat& st) const {
    return fd == other && inode == st.st_ino && device == st.st_dev && inode != 0;
  }
  [[nodiscard]] bool is_unchanged(const struct stat& st) const {
    return changed.tv_nsec == st.st_ctim.tv_nsec && changed.tv_sec == st.st_ctim.tv_sec;
  }
};
constexpr unsigned k_seen = 16;
thread_local Seen t_seen[k_seen];

/// More than the xattrs of a file occupy.
constexpr off_t k_surely_data = off_t{128} << 10U;

/// Writing changes the change time: who writes a large file shall not be looked up at every call. It
/// was not released before, and all its blocks are there.
bool has_its_blocks(const struct stat& st) { return st.st_size > k_surely_data && st.st_blocks * 512 >= st.st_size; }

}  // namespace

int await_data(int fd) noexcept {
  if (OwnIo::is_active()) return 0;
  const int before = errno;
  struct stat st {};
  int error = 0;
  if (::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_emulated_device(st.st_dev)) {
    Seen& seen = t_seen[static_cast<unsigned>(fd) % k_seen];
    const bool is_known = seen.is_file(fd, st) && (seen.is_unchanged(st) || has_its_blocks(st));
    if (!is_known) {
      const OwnIo own;
      if (any_mount_on(st.st_dev, may_be_released, fd)) error = -wait_restored(fd);
      if (error == 0 && ::fstat(fd, &st) != 0) st.st_ino = 0;
    }
    if (error == 0) seen = {fd, st.st_dev, st.st_ino, st.st_ctim};
  }
  errno = before;
  return error;
}

bool lies_on_emulated_device(int directory, const char* path) noexcept {
  const int before = errno;
  struct stat st {};
  const bool does = ::fstatat(directory, path, &st, 0) == 0 && S_ISREG(st.st_mode) && is_emulated_device(st.st_dev);
  errno = before;
  return does;
}

Mount* mount_of_file(int fd) noexcept {
  if (OwnIo::is_active()) return nullptr;
  const int before = errno;
  Mount* mount = nullptr;
  struct stat st {};
  if (::fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_emulated_device(st.st_dev)) {
    const OwnIo own;
    mount = find_mount(fd);
  }
  errno = before;
  return mount;
}

int pace(int fd, off_t offset, std::size_t size, bool is_write) noexcept {
  Mount* mount = mount_of_file(fd);
  if (mount == nullptr) return 0;
  const int before = errno;
  const OwnIo own;
  if (offset < 0) offset = static_cast<off_t>(::syscall(SYS_lseek, fd, 0, SEEK_CUR));
  const int error = model_transfer(*mount, fd, offset < 0 ? 0 : static_cast<std::uint64_t>(offset), size, is_write);
  errno = before;
  return error;
}

}  // namespace lhsm::emulator

LHSM_EXPORT int lhsm_emulator_wait_restored(int fd) { return lhsm::emulator::wait_restored(fd); }
