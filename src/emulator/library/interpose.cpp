// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libc names with a Lustre meaning on emulated mounts. Everything else goes to the kernel untouched,
// by system call: looking the next library up would not be safe in every moment a program may call.
#include <linux/fs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

#include "library/interpose_io.hpp"
#include "library/llapi.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

LHSM_EXPORT int ioctl(int fd, unsigned long command, ...) noexcept {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  if (is_served_ioctl(command)) {
    std::string relative;
    if (Mount* mount = find_mount(fd, &relative)) {
      const int rc = serve_ioctl(*mount, fd, relative, command, argument);
      if (rc >= 0) return rc;
      errno = -rc;
      return -1;
    }
  }
  if (command == FICLONE || (command == FICLONERANGE && argument != nullptr)) {
    const int from = command == FICLONE ? static_cast<int>(reinterpret_cast<std::intptr_t>(argument))
                                        : static_cast<int>(static_cast<const file_clone_range*>(argument)->src_fd);
    for (const int file : {from, fd})
      if (const int error = await_data(file); error != 0) return fail_with(error);
  }
  return static_cast<int>(::syscall(SYS_ioctl, fd, command, argument));
}
