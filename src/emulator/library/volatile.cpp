// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "client/layout.hpp"
#include "core/fid_space.hpp"
#include "library/llapi.hpp"

namespace lhsm::emulator {

Outcome<VolatileFile> create_volatile(Mount& mount, int mdt, int parent_fd, int open_flags, mode_t mode) {
  if (mdt < 0) {
    LHSM_TRY_ASSIGN(const Fid parent, mount.fid_of(parent_fd));
    mdt = static_cast<int>(mdt_of(parent, mount.mdt_count()).value_or(0));
  }
  VolatileFile made;
  LHSM_TRY_ASSIGN(made.fid, mount.volatile_fid(static_cast<std::uint32_t>(mdt)));
  const auto name = std::string(k_fid_dir) + "/" + made.fid.str();
  const bool delays_layout = (open_flags & abi::O_LOV_DELAY_CREATE) == abi::O_LOV_DELAY_CREATE ||
                             (open_flags & (O_NOCTTY | O_ASYNC)) == (O_NOCTTY | O_ASYNC);
  int flags = (open_flags & ~abi::O_LOV_DELAY_CREATE) | O_CREAT | O_EXCL | O_NOFOLLOW;
  if ((flags & O_ACCMODE) == O_RDONLY) flags |= O_RDWR;
  made.fd = Fd(::openat(mount.root_fd(), name.c_str(), flags, mode));
  if (!made.fd) return errno_error("create volatile", name);
  if (!delays_layout) {
    const auto layout = default_layout();
    if (::fsetxattr(*made.fd, mount.names().layout.c_str(), layout.data(), layout.size(), 0) != 0)
      return errno_error("set layout", name);
  }
  return made;
}

}  // namespace lhsm::emulator

using namespace lhsm;
using namespace lhsm::emulator;

LHSM_EXPORT int llapi_create_volatile_param(const char* directory, int mdt_index, int open_flags, mode_t mode,
                                            const void* /*stripe_param*/) {
  Mount* mount = find_mount(std::string(directory));
  if (mount == nullptr) return -ENOTTY;
  const Fd parent(::open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent) return -errno;
  auto made = create_volatile(*mount, mdt_index, *parent, open_flags, mode);
  if (!made) {
    llapi_error(k_message_error, made.error().sys_errno, "Cannot create volatile file in '%s'", directory);
    return to_rc(made);
  }
  return made->fd.release();
}

LHSM_EXPORT int llapi_create_volatile_idx(const char* directory, int mdt_index, int open_flags) {
  return llapi_create_volatile_param(directory, mdt_index, open_flags, S_IRUSR | S_IWUSR, nullptr);
}
