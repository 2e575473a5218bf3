// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <unistd.h>
#include <csignal>

#include <cstdlib>
#include <cstring>

#include "client/own_io.hpp"
#include "library/llapi.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

LHSM_EXPORT abi::hsm_user_request* llapi_hsm_user_request_alloc(int item_count, int data_length) {
  const auto size = sizeof(abi::hsm_user_request) + sizeof(abi::hsm_user_item) * static_cast<std::size_t>(item_count) +
                    static_cast<std::size_t>(data_length);
  return static_cast<abi::hsm_user_request*>(std::calloc(1, size));
}

LHSM_EXPORT int llapi_hsm_request(const char* path, const abi::hsm_user_request* request) {
  if (path == nullptr || request == nullptr) return -EINVAL;
  Mount* mount = find_mount(std::string(path));
  if (mount == nullptr) return -ENODEV;
  return serve_ioctl(*mount, mount->root_fd(), "", abi::LL_IOC_HSM_REQUEST,
                     const_cast<abi::hsm_user_request*>(request));
}

LHSM_EXPORT int llapi_hsm_current_action(const char* path, abi::hsm_current_action* action) {
  const Fd fd(::open(path, O_RDONLY | O_NONBLOCK));
  if (!fd) return -errno;
  std::string relative;
  Mount* mount = find_mount(*fd, &relative);
  return mount == nullptr ? -ENOTTY : serve_ioctl(*mount, *fd, relative, abi::LL_IOC_HSM_ACTION, action);
}

namespace lhsm::emulator {
namespace {

/// Free the blocks; the size never changes, so that a kill in between loses nothing that counts.
int drop_data(int fd, const struct stat& st) {
  const OwnIo own;  // the file is flagged as released already
  const off_t block = st.st_blksize > 0 ? st.st_blksize : 4096;
  const off_t length = (st.st_size + block - 1) / block * block;
  if (st.st_size > 0 && ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, length) != 0) {
    if (errno != EOPNOTSUPP) return -errno;
    if (::ftruncate(fd, 0) != 0 || ::ftruncate(fd, st.st_size) != 0) return -errno;
  }
  // That was a write to the kernel, which takes the set-id bits away unless root does it.
  if ((st.st_mode & (S_ISUID | S_ISGID)) != 0 && ::fchmod(fd, st.st_mode & 07777) != 0) return -errno;
  const timespec times[2] = {st.st_atim, st.st_mtim};
  return ::futimens(fd, times) != 0 ? -errno : 0;
}

}  // namespace

int release_file(Mount& mount, const Fid& fid) {
  const auto file = mount.open(fid, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (!file) return to_rc(file);
  // The kernel tells the holder of a lease that another wants in by a signal whose default is death;
  // SIGURG's is nothing. The lease itself is gone some microseconds later.
  if (::fcntl(**file, F_SETSIG, SIGURG) != 0) return -errno;
  if (::fcntl(**file, F_SETLEASE, F_WRLCK) != 0) return errno == EAGAIN ? -EBUSY : -errno;
  struct stat st {};
  if (::fstat(**file, &st) != 0) return -errno;
  Writer request;
  request.put(Op::release).put(fid);
  const auto answer = mount.call(request);
  if (answer.rc != 0) return answer.rc == 1 ? 0 : answer.rc;
  return drop_data(**file, st);
}

}  // namespace lhsm::emulator
