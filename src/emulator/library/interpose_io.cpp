// SPDX-License-Identifier: LGPL-2.1-or-later
//
// read and write in all their forms. On 64-bit machines a function and its ...64 twin are the same.
#undef _FORTIFY_SOURCE
#include "library/interpose_io.hpp"

#include <sys/uio.h>

using namespace lhsm::emulator;

namespace {

const void* at(const void* buffer, std::size_t offset) { return static_cast<const char*>(buffer) + offset; }
void* at(void* buffer, std::size_t offset) { return static_cast<char*>(buffer) + offset; }

std::size_t total(const iovec* vector, int count) {
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) size += vector[i].iov_len;
  return size;
}

ssize_t read_vector(int fd, const iovec* vector, int count, off_t offset, int flags) {
  const auto size = is_paced() ? total(vector, count) : 0;
  return transfer_whole(fd, offset, size, false,
                        [=] { return ::syscall(SYS_preadv2, fd, vector, count, offset, 0, flags); });
}

ssize_t write_vector(int fd, const iovec* vector, int count, off_t offset, int flags) {
  const auto size = is_paced() ? total(vector, count) : 0;
  return transfer_whole(fd, offset, size, true,
                        [=] { return ::syscall(SYS_pwritev2, fd, vector, count, offset, 0, flags); });
}

/// Offset -1 means "where the descriptor is" to preadv2, and is refused by the others.
bool is_refused(off_t offset) { return offset < 0; }

}  // namespace

LHSM_EXPORT ssize_t read(int fd, void* buffer, std::size_t size) {
  return transfer(fd, -1, size, false, [=](std::size_t done, std::size_t piece) {
    return ::syscall(SYS_read, fd, at(buffer, done), piece);
  });
}

LHSM_EXPORT ssize_t pread(int fd, void* buffer, std::size_t size, off_t offset) {
  if (is_refused(offset)) return ::syscall(SYS_pread64, fd, buffer, size, offset);
  return transfer(fd, offset, size, false, [=](std::size_t done, std::size_t piece) {
    return ::syscall(SYS_pread64, fd, at(buffer, done), piece, offset + static_cast<off_t>(done));
  });
}
LHSM_EXPORT ssize_t pread64(int fd, void* buffer, std::size_t size, off64_t offset) {
  return ::pread(fd, buffer, size, offset);
}

LHSM_EXPORT ssize_t write(int fd, const void* buffer, std::size_t size) {
  return transfer(fd, -1, size, true, [=](std::size_t done, std::size_t piece) {
    return ::syscall(SYS_write, fd, at(buffer, done), piece);
  });
}

LHSM_EXPORT ssize_t pwrite(int fd, const void* buffer, std::size_t size, off_t offset) {
  if (is_refused(offset)) return ::syscall(SYS_pwrite64, fd, buffer, size, offset);
  return transfer(fd, offset, size, true, [=](std::size_t done, std::size_t piece) {
    return ::syscall(SYS_pwrite64, fd, at(buffer, done), piece, offset + static_cast<off_t>(done));
  });
}
LHSM_EXPORT ssize_t pwrite64(int fd, const void* buffer, std::size_t size, off64_t offset) {
  return ::pwrite(fd, buffer, size, offset);
}

LHSM_EXPORT ssize_t readv(int fd, const iovec* vector, int count) { return read_vector(fd, vector, count, -1, 0); }
LHSM_EXPORT ssize_t preadv(int fd, const iovec* vector, int count, off_t offset) {
  return is_refused(offset) ? fail_with<ssize_t>(EINVAL) : read_vector(fd, vector, count, offset, 0);
}
LHSM_EXPORT ssize_t preadv64(int fd, const iovec* vector, int count, off64_t offset) {
  return ::preadv(fd, vector, count, offset);
}
LHSM_EXPORT ssize_t preadv2(int fd, const iovec* vector, int count, off_t offset, int flags) {
  return read_vector(fd, vector, count, offset, flags);
}
LHSM_EXPORT ssize_t preadv64v2(int fd, const iovec* vector, int count, off64_t offset, int flags) {
  return read_vector(fd, vector, count, offset, flags);
}

LHSM_EXPORT ssize_t writev(int fd, const iovec* vector, int count) { return write_vector(fd, vector, count, -1, 0); }
LHSM_EXPORT ssize_t pwritev(int fd, const iovec* vector, int count, off_t offset) {
  return is_refused(offset) ? fail_with<ssize_t>(EINVAL) : write_vector(fd, vector, count, offset, 0);
}
LHSM_EXPORT ssize_t pwritev64(int fd, const iovec* vector, int count, off64_t offset) {
  return ::pwritev(fd, vector, count, offset);
}
LHSM_EXPORT ssize_t pwritev2(int fd, const iovec* vector, int count, off_t offset, int flags) {
  return write_vector(fd, vector, count, offset, flags);
}
LHSM_EXPORT ssize_t pwritev64v2(int fd, const iovec* vector, int count, off64_t offset, int flags) {
  return write_vector(fd, vector, count, offset, flags);
}

// What -D_FORTIFY_SOURCE makes of them.
extern "C" {
[[noreturn]] void __chk_fail(void);
LHSM_EXPORT ssize_t __read_chk(int fd, void* buffer, std::size_t size, std::size_t room) {
  if (size > room) __chk_fail();
  return ::read(fd, buffer, size);
}
LHSM_EXPORT ssize_t __pread_chk(int fd, void* buffer, std::size_t size, off_t offset, std::size_t room) {
  if (size > room) __chk_fail();
  return ::pread(fd, buffer, size, offset);
}
LHSM_EXPORT ssize_t __pread64_chk(int fd, void* buffer, std::size_t size, off64_t offset, std::size_t room) {
  if (size > room) __chk_fail();
  return ::pread(fd, buffer, size, offset);
}
}
