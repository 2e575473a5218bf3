// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Opening does not want a file's data, with two exceptions: O_TRUNC truncates, which does (as on Lustre,
// where it even restores a file first that is truncated to nothing); and what stdio reads and writes
// by calls inside libc can be caught nowhere else.
#undef _FORTIFY_SOURCE
#include <fcntl.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "library/interpose_io.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

int kernel_open(int directory, const char* path, int flags, mode_t mode) {
  return static_cast<int>(::syscall(SYS_openat, directory, path, flags, mode));
}

int open_file(int directory, const char* path, int flags, mode_t mode) {
  const bool truncates = (flags & O_TRUNC) != 0 && (flags & O_ACCMODE) != O_RDONLY && (flags & O_PATH) == 0;
  if (!truncates || path == nullptr || !lies_on_emulated_device(directory, path))
    return kernel_open(directory, path, flags, mode);
  Fd file(kernel_open(directory, path, flags & ~O_TRUNC, mode));
  if (!file) return -1;
  if (const int error = await_data(*file); error != 0) return fail_with(error);
  if (::syscall(SYS_ftruncate, *file, 0) != 0) return -1;
  return file.release();
}

bool takes_mode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

/// Have a file restored that stdio is going to open; 0 or an errno.
int await_stream(const char* path, const char* mode) {
  if (path == nullptr || mode == nullptr || !lies_on_emulated_device(AT_FDCWD, path)) return 0;
  const int before = errno;
  int error = 0;
  // Whether it may be opened that way is for the open itself to say.
  const int access = std::strchr(mode, 'r') != nullptr && std::strchr(mode, '+') == nullptr ? O_RDONLY : O_WRONLY;
  if (const Fd file(kernel_open(AT_FDCWD, path, access | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0)); file)
    error = await_data(*file);
  errno = before;
  return error;
}

using OpenStream = std::FILE*(const char*, const char*);
using ReopenStream = std::FILE*(const char*, const char*, std::FILE*);

std::FILE* open_stream(const char* libc_name, const char* path, const char* mode) {
  if (const int error = await_stream(path, mode); error != 0) {
    errno = error;
    return nullptr;
  }
  auto* const libc = next_function<OpenStream>(libc_name);
  if (libc != nullptr) return libc(path, mode);
  errno = ENOSYS;
  return nullptr;
}

std::FILE* reopen_stream(const char* libc_name, const char* path, const char* mode, std::FILE* stream) {
  if (const int error = await_stream(path, mode); error != 0) {
    std::ignore = std::fclose(stream);  // a freopen that fails closes it too
    errno = error;
    return nullptr;
  }
  auto* const libc = next_function<ReopenStream>(libc_name);
  if (libc != nullptr) return libc(path, mode, stream);
  errno = ENOSYS;
  return nullptr;
}

}  // namespace

#define LHSM_MODE_ARGUMENT(flags)     \
  mode_t mode = 0;                    \
  if (takes_mode(flags)) {            \
    va_list arguments;                \
    va_start(arguments, flags);       \
    mode = va_arg(arguments, mode_t); \
    va_end(arguments);                \
  }

LHSM_EXPORT int open(const char* path, int flags, ...) {
  LHSM_MODE_ARGUMENT(flags)
  return open_file(AT_FDCWD, path, flags, mode);
}
LHSM_EXPORT int open64(const char* path, int flags, ...) {
  LHSM_MODE_ARGUMENT(flags)
  return open_file(AT_FDCWD, path, flags, mode);
}
LHSM_EXPORT int openat(int directory, const char* path, int flags, ...) {
  LHSM_MODE_ARGUMENT(flags)
  return open_file(directory, path, flags, mode);
}
LHSM_EXPORT int openat64(int directory, const char* path, int flags, ...) {
  LHSM_MODE_ARGUMENT(flags)
  return open_file(directory, path, flags, mode);
}
LHSM_EXPORT int creat(const char* path, mode_t mode) {
  return open_file(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
LHSM_EXPORT int creat64(const char* path, mode_t mode) { return ::creat(path, mode); }

// What -D_FORTIFY_SOURCE makes of an open without a mode.
LHSM_EXPORT int __open_2(const char* path, int flags) { return open_file(AT_FDCWD, path, flags, 0); }
LHSM_EXPORT int __open64_2(const char* path, int flags) { return open_file(AT_FDCWD, path, flags, 0); }
LHSM_EXPORT int __openat_2(int directory, const char* path, int flags) { return open_file(directory, path, flags, 0); }
LHSM_EXPORT int __openat64_2(int directory, const char* path, int flags) {
  return open_file(directory, path, flags, 0);
}

LHSM_EXPORT std::FILE* fopen(const char* path, const char* mode) { return open_stream("fopen", path, mode); }
LHSM_EXPORT std::FILE* fopen64(const char* path, const char* mode) { return open_stream("fopen64", path, mode); }
LHSM_EXPORT std::FILE* freopen(const char* path, const char* mode, std::FILE* stream) {
  return reopen_stream("freopen", path, mode, stream);
}
LHSM_EXPORT std::FILE* freopen64(const char* path, const char* mode, std::FILE* stream) {
  return reopen_stream("freopen64", path, mode, stream);
}
