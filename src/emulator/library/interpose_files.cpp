// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Calls other than read and write for which Lustre wants a file's data: they change its size, look for
// its holes, map it, or copy it without the program seeing a byte.
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "library/interpose_io.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

int by_descriptor(int fd, off_t size) {
  return when_there(fd, [=] { return static_cast<int>(::syscall(SYS_ftruncate, fd, size)); });
}

/// By path it is the same as by descriptor, once there is one; errors are the kernel's.
int by_path(const char* path, off_t size) {
  const int before = errno;
  if (path != nullptr && lies_on_emulated_device(AT_FDCWD, path))
    if (const Fd file(static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0))); file)
      if (const int error = await_data(*file); error != 0) return fail_with(error);
  errno = before;
  return static_cast<int>(::syscall(SYS_truncate, path, size));
}

int allocate(int fd, int mode, off_t offset, off_t length) {
  return when_there(fd, [=] { return static_cast<int>(::syscall(SYS_fallocate, fd, mode, offset, length)); });
}

off_t seek(int fd, off_t offset, int whence) {
  const auto kernel = [=] { return static_cast<off_t>(::syscall(SYS_lseek, fd, offset, whence)); };
  return whence == SEEK_DATA || whence == SEEK_HOLE ? when_there(fd, kernel) : kernel();
}

/// Both files have to be there, and the model hears of both.
template <class F>
ssize_t copy(int from, int to, off_t from_offset, off_t to_offset, std::size_t size, F kernel) {
  if (is_paced()) size = std::min(size, k_paced_piece);
  return transfer_whole(from, from_offset, size, false,
                        [&] { return transfer_whole(to, to_offset, size, true, [&] { return kernel(size); }); });
}

off_t offset_of(const off_t* offset) { return offset == nullptr ? -1 : *offset; }

}  // namespace

LHSM_EXPORT int truncate(const char* path, off_t size) noexcept { return by_path(path, size); }
LHSM_EXPORT int truncate64(const char* path, off64_t size) noexcept { return by_path(path, size); }
LHSM_EXPORT int ftruncate(int fd, off_t size) noexcept { return by_descriptor(fd, size); }
LHSM_EXPORT int ftruncate64(int fd, off64_t size) noexcept { return by_descriptor(fd, size); }

LHSM_EXPORT int fallocate(int fd, int mode, off_t offset, off_t length) { return allocate(fd, mode, offset, length); }
LHSM_EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
  return allocate(fd, mode, offset, length);
}
LHSM_EXPORT int posix_fallocate(int fd, off_t offset, off_t length) {
  if (const int error = await_data(fd); error != 0) return error;
  static auto* const libc = next_function<int(int, off_t, off_t)>("posix_fallocate");
  return libc == nullptr ? ENOSYS : libc(fd, offset, length);
}
LHSM_EXPORT int posix_fallocate64(int fd, off64_t offset, off64_t length) {
  return ::posix_fallocate(fd, offset, length);
}

LHSM_EXPORT off_t lseek(int fd, off_t offset, int whence) noexcept { return seek(fd, offset, whence); }
LHSM_EXPORT off64_t lseek64(int fd, off64_t offset, int whence) noexcept { return seek(fd, offset, whence); }

LHSM_EXPORT void* mmap(void* address, std::size_t length, int protection, int flags, int fd, off_t offset) noexcept {
  if ((flags & MAP_ANONYMOUS) == 0)
    if (const int error = await_data(fd); error != 0) {
      errno = error;
      return MAP_FAILED;
    }
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, length, protection, flags, fd, offset));
}
LHSM_EXPORT void* mmap64(void* address, std::size_t length, int protection, int flags, int fd,
                         off64_t offset) noexcept {
  return ::mmap(address, length, protection, flags, fd, offset);
}

LHSM_EXPORT ssize_t copy_file_range(int from, off64_t* from_offset, int to, off64_t* to_offset, std::size_t size,
                                    unsigned flags) {
  return copy(from, to, offset_of(from_offset), offset_of(to_offset), size, [=](std::size_t piece) {
    return ::syscall(SYS_copy_file_range, from, from_offset, to, to_offset, piece, flags);
  });
}
LHSM_EXPORT ssize_t sendfile(int to, int from, off_t* offset, std::size_t size) noexcept {
  return copy(from, to, offset_of(offset), -1, size,
              [=](std::size_t piece) { return ::syscall(SYS_sendfile, to, from, offset, piece); });
}
LHSM_EXPORT ssize_t sendfile64(int to, int from, off64_t* offset, std::size_t size) noexcept {
  return ::sendfile(to, from, offset, size);
}
LHSM_EXPORT ssize_t splice(int from, off64_t* from_offset, int to, off64_t* to_offset, std::size_t size,
                           unsigned flags) {
  return copy(from, to, offset_of(from_offset), offset_of(to_offset), size,
              [=](std::size_t piece) { return ::syscall(SYS_splice, from, from_offset, to, to_offset, piece, flags); });
}
