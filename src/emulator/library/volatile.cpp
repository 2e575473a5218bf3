// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <unistd.h>

#include "client/file_layout.hpp"
#include "core/fid_space.hpp"
#include "library/llapi.hpp"
#include "library/striping.hpp"

namespace lhsm::emulator {

Outcome<VolatileFile> create_volatile(Mount& mount, int mdt, int parent_fd, int open_flags, mode_t mode) {
  if (mdt < 0) {
    LHSM_TRY_ASSIGN(const Fid parent, mount.fid_of(parent_fd));
    mdt = static_cast<int>(mdt_of(parent, mount.mdt_count()).value_or(0));
  }
  VolatileFile made;
  LHSM_TRY_ASSIGN(made.fid, mount.volatile_fid(static_cast<std::uint32_t>(mdt)));
  const auto name = std::string(k_fid_dir) + "/" + made.fid.str();
  int flags = (open_flags & ~abi::O_LOV_DELAY_CREATE) | O_CREAT | O_EXCL | O_NOFOLLOW;
  if ((flags & O_ACCMODE) == O_RDONLY) flags |= O_RDWR;
  made.fd = Fd(::openat(mount.root_fd(), name.c_str(), flags, mode));
  if (!made.fd) return errno_error("create volatile", name);
  if (!delays_layout(open_flags)) {
    std::string directory;
    if (parent_fd >= 0) std::ignore = find_mount(parent_fd, &directory);
    LHSM_TRY(give_default_layout(mount, *made.fd, directory.empty() ? "x" : directory + "/x"));
  }
  return made;
}

}  // namespace lhsm::emulator

using namespace lhsm;
using namespace lhsm::emulator;

LHSM_EXPORT int llapi_create_volatile_param(const char* directory, int mdt_index, int open_flags, mode_t mode,
                                            const llapi_stripe_param* stripe_param) {
  const Fd parent(::open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
  const int error = errno;
  // By descriptor: a path is resolved with one call for each of its parts.
  Mount* mount = parent ? find_mount(*parent) : find_mount(std::string(directory));
  if (mount == nullptr) return -ENOTTY;
  if (!parent) return -error;
  std::string striping;
  if (stripe_param != nullptr) {
    auto wanted = striping_of(*stripe_param, *mount);
    if (!wanted) return to_rc(wanted);
    striping = std::move(*wanted);
    open_flags |= abi::O_LOV_DELAY_CREATE;
  }
  auto made = create_volatile(*mount, mdt_index, *parent, open_flags, mode);
  if (!made) {
    llapi_error(k_message_error, made.error().sys_errno, "Cannot create volatile file in '%s'", directory);
    return to_rc(made);
  }
  if (stripe_param != nullptr)
    if (const auto given = give_layout(*mount, *made->fd, striping); !given) {
      llapi_error(k_message_error, given.error().sys_errno, "Cannot set the layout of a volatile file in '%s'",
                  directory);
      return to_rc(given);
    }
  return made->fd.release();
}

LHSM_EXPORT int llapi_create_volatile_idx(const char* directory, int mdt_index, int open_flags) {
  return llapi_create_volatile_param(directory, mdt_index, open_flags, S_IRUSR | S_IWUSR, nullptr);
}
