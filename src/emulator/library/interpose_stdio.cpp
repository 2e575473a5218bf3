// SPDX-License-Identifier: LGPL-2.1-or-later
//
// stdio reads by calls inside libc that cannot be caught. So a stream whose buffer is empty waits
// before libc fills it: that is how programs read a standard input that is a released file. What fopen
// and fdopen open was waited for there; scanf on a redirected standard input is not caught.
#undef _FORTIFY_SOURCE
#include <fcntl.h>

#include <cstdio>

#include "client/emulated_devices.hpp"
#include "library/interpose_io.hpp"

using namespace lhsm::emulator;

namespace {

constexpr int k_error_seen = 0x20;  // _IO_ERR_SEEN: what ferror() tells

/// Return whether the stream may go on; else it has an error, and errno says which.
bool await_input(std::FILE* stream) {
  if (stream == nullptr || stream->_IO_read_ptr < stream->_IO_read_end) return true;
  const int before = errno;
  const int fd = ::fileno_unlocked(stream);
  errno = before;
  const int error = fd < 0 ? 0 : await_data(fd);
  if (error == 0) return true;
  stream->_flags |= k_error_seen;
  errno = error;
  return false;
}

using Read = std::size_t(void*, std::size_t, std::size_t, std::FILE*);
using ReadChecked = std::size_t(void*, std::size_t, std::size_t, std::size_t, std::FILE*);
using ReadLine = char*(char*, int, std::FILE*);
using LineChecked = char*(char*, std::size_t, int, std::FILE*);
using Char = int(std::FILE*);
using Delimited = ssize_t(char**, std::size_t*, int, std::FILE*);

}  // namespace

// Each is: wait, then libc's own. The look-up is done once for each.
#define LHSM_NEXT(type, name) static auto* const libc = next_function<type>(name)

LHSM_EXPORT std::size_t fread(void* to, std::size_t size, std::size_t count, std::FILE* stream) {
  LHSM_NEXT(Read, "fread");
  return await_input(stream) ? libc(to, size, count, stream) : 0;
}
#undef fread_unlocked
LHSM_EXPORT std::size_t fread_unlocked(void* to, std::size_t size, std::size_t count, std::FILE* stream) {
  LHSM_NEXT(Read, "fread_unlocked");
  return await_input(stream) ? libc(to, size, count, stream) : 0;
}
LHSM_EXPORT char* fgets(char* to, int size, std::FILE* stream) {
  LHSM_NEXT(ReadLine, "fgets");
  return await_input(stream) ? libc(to, size, stream) : nullptr;
}
LHSM_EXPORT char* fgets_unlocked(char* to, int size, std::FILE* stream) {
  LHSM_NEXT(ReadLine, "fgets_unlocked");
  return await_input(stream) ? libc(to, size, stream) : nullptr;
}
LHSM_EXPORT ssize_t getdelim(char** line, std::size_t* size, int delimiter, std::FILE* stream) {
  LHSM_NEXT(Delimited, "getdelim");
  return await_input(stream) ? libc(line, size, delimiter, stream) : -1;
}
LHSM_EXPORT ssize_t getline(char** line, std::size_t* size, std::FILE* stream) {
  return ::getdelim(line, size, '\n', stream);
}
LHSM_EXPORT int fgetc(std::FILE* stream) {
  LHSM_NEXT(Char, "fgetc");
  return await_input(stream) ? libc(stream) : EOF;
}
LHSM_EXPORT int fgetc_unlocked(std::FILE* stream) {
  LHSM_NEXT(Char, "fgetc_unlocked");
  return await_input(stream) ? libc(stream) : EOF;
}
#undef getc
#undef getc_unlocked
#undef getchar
#undef getchar_unlocked
LHSM_EXPORT int getc(std::FILE* stream) { return ::fgetc(stream); }
LHSM_EXPORT int getc_unlocked(std::FILE* stream) { return ::fgetc_unlocked(stream); }
LHSM_EXPORT int getchar() { return ::fgetc(stdin); }
LHSM_EXPORT int getchar_unlocked() { return ::fgetc_unlocked(stdin); }

extern "C" {
// What getc_unlocked() is as a macro, and what -D_FORTIFY_SOURCE makes of the others.
LHSM_EXPORT int __uflow(std::FILE* stream) {
  LHSM_NEXT(Char, "__uflow");
  return await_input(stream) ? libc(stream) : EOF;
}
LHSM_EXPORT int _IO_getc(std::FILE* stream) { return ::fgetc(stream); }
LHSM_EXPORT ssize_t __getdelim(char** line, std::size_t* size, int delimiter, std::FILE* stream) {
  return ::getdelim(line, size, delimiter, stream);
}
LHSM_EXPORT std::size_t __fread_chk(void* to, std::size_t room, std::size_t size, std::size_t count,
                                    std::FILE* stream) {
  LHSM_NEXT(ReadChecked, "__fread_chk");
  return await_input(stream) ? libc(to, room, size, count, stream) : 0;
}
LHSM_EXPORT std::size_t __fread_unlocked_chk(void* to, std::size_t room, std::size_t size, std::size_t count,
                                             std::FILE* stream) {
  LHSM_NEXT(ReadChecked, "__fread_unlocked_chk");
  return await_input(stream) ? libc(to, room, size, count, stream) : 0;
}
LHSM_EXPORT char* __fgets_chk(char* to, std::size_t room, int size, std::FILE* stream) {
  LHSM_NEXT(LineChecked, "__fgets_chk");
  return await_input(stream) ? libc(to, room, size, stream) : nullptr;
}
LHSM_EXPORT char* __fgets_unlocked_chk(char* to, std::size_t room, int size, std::FILE* stream) {
  LHSM_NEXT(LineChecked, "__fgets_unlocked_chk");
  return await_input(stream) ? libc(to, room, size, stream) : nullptr;
}
}

LHSM_EXPORT std::FILE* fdopen(int fd, const char* mode) noexcept {
  if (const int error = await_data(fd); error != 0) {
    errno = error;
    return nullptr;
  }
  LHSM_NEXT(std::FILE * (int, const char*), "fdopen");
  return libc(fd, mode);
}

/// A shell's own commands write to what was made their standard output this way, by stdio again.
LHSM_EXPORT int dup3(int from, int to, int flags) noexcept {
  if (to == STDOUT_FILENO || to == STDERR_FILENO)
    if (const int error = await_data(from); error != 0) return fail_with(error);
  return static_cast<int>(::syscall(SYS_dup3, from, to, flags));
}
LHSM_EXPORT int dup2(int from, int to) noexcept {
  if (from == to) return ::fcntl(from, F_GETFD) < 0 ? -1 : to;
  return ::dup3(from, to, 0);
}

namespace {

/// A program that appends to a released file through its standard output does it by stdio, as a rule.
[[gnu::constructor]] void look_around() {
  std::ignore = is_emulated_device(0);  // reads the environment now, not in a signal handler later
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) std::ignore = await_data(fd);  // a write(2) says what is wrong
}

}  // namespace
