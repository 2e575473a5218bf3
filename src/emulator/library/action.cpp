// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "core/directory_layout.hpp"
#include "library/llapi.hpp"
#include "library/striping.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

constexpr std::uint32_t k_action_magic = 0x19880429;

bool is_action(const hsm_copyaction_private* action) { return action != nullptr && action->magic == k_action_magic; }

/// The call a copytool of its own would make: an ioctl on a directory of the mount.
int directory_ioctl(const hsm_copytool_private& ct, unsigned long command, void* argument) {
  std::string relative;
  Mount* mount = find_mount(ct.mnt_fd, &relative);
  return mount == nullptr ? -ENOTTY : serve_ioctl(*mount, ct.mnt_fd, relative, command, argument);
}

Outcome<Fd> open_original(Mount& mount, const abi::lu_fid& fid) {
  return mount.open(from_abi(fid), O_RDONLY | O_NOATIME | O_NOFOLLOW | O_NONBLOCK);
}

/// The volatile is made beside the original, on its MDT unless another one is asked for.
int begin_restore(Mount& mount, hsm_copyaction_private& action, int mdt, int open_flags) {
  const auto fid = from_abi(action.copy.hc_hai.hai_fid);
  const auto original = mount.open(fid, O_PATH);
  if (!original) return to_rc(original);
  if (::fstat(**original, &action.attributes) != 0) return -errno;
  Fd parent;
  // Its directory says on which MDT it is, and which layout it has if none is going to be set.
  if (mdt < 0 || (!delays_layout(open_flags) && ::faccessat(mount.root_fd(), k_layouts_in_use, F_OK, 0) == 0)) {
    Writer request;
    request.put(Op::path_of).put(fid).put(std::uint32_t{0});
    const auto answer = mount.call(request);
    auto results = answer.results();
    std::string path = answer.rc == 0 ? std::string(results.get_text()) : std::string();
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    parent = Fd(::openat(mount.root_fd(), path.empty() ? "." : path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!parent) return -errno;
  }
  auto made = create_volatile(mount, mdt, parent ? *parent : -1, open_flags, 0600);
  if (!made) return to_rc(made);
  if (::fchown(*made->fd, action.attributes.st_uid, action.attributes.st_gid) != 0) return -errno;
  action.copy.hc_hai.hai_dfid = to_abi(made->fid);
  action.data_fd = made->fd.release();
  return 0;
}

int begin(hsm_copyaction_private& action, int mdt, int open_flags) {
  Mount* mount = find_mount(action.ct->mnt_fd);
  if (mount == nullptr) return -ENOTTY;
  auto& item = action.copy.hc_hai;
  switch (item.hai_action) {
    case abi::HSMA_ARCHIVE: {
      auto source = open_original(*mount, item.hai_dfid);
      if (!source) return to_rc(source);
      action.source_fd = source->release();
      break;
    }
    case abi::HSMA_RESTORE:
      if (const int rc = begin_restore(*mount, action, mdt, open_flags); rc != 0) return rc;
      break;
    case abi::HSMA_REMOVE: {
      auto source = open_original(*mount, item.hai_fid);
      if (!source && source.error().sys_errno != ENOENT) return to_rc(source);
      if (source) action.source_fd = source->release();
      return 0;
    }
    default: break;
  }
  return directory_ioctl(*action.ct, abi::LL_IOC_HSM_COPY_START, &action.copy);
}

void destroy(hsm_copyaction_private* action) {
  for (const int fd : {action->source_fd, action->data_fd})
    if (fd >= 0) ::close(fd);
  action->magic = 0;
  std::free(action);
}

/// Make the restored data durable and give them the original's times.
int settle_restored(const hsm_copyaction_private& action) {
  if (::fsync(action.data_fd) != 0) return errno;
  const timespec times[2] = {action.attributes.st_atim, action.attributes.st_mtim};
  return ::futimens(action.data_fd, times) != 0 ? errno : 0;
}

}  // namespace

LHSM_EXPORT int llapi_hsm_action_begin(hsm_copyaction_private** phcp, const hsm_copytool_private* ct,
                                       const abi::hsm_action_item* item, int restore_mdt_index, int restore_open_flags,
                                       bool is_error) {
  auto* action = static_cast<hsm_copyaction_private*>(std::calloc(1, sizeof(hsm_copyaction_private)));
  if (action == nullptr) return -ENOMEM;
  action->magic = k_action_magic;
  action->source_fd = action->data_fd = -1;
  action->ct = ct;
  std::memcpy(static_cast<void*>(&action->copy.hc_hai), item, sizeof *item);
  action->copy.hc_hai.hai_len = sizeof *item;
  if (!is_error) {
    if (const int rc = begin(*action, restore_mdt_index, restore_open_flags); rc != 0) {
      destroy(action);
      return rc;
    }
  }
  log_progress(*action, *item, CopyEvent::start, 0, 0);
  *phcp = action;
  return 0;
}

LHSM_EXPORT int llapi_hsm_action_progress(hsm_copyaction_private* action, const abi::hsm_extent* extent,
                                          std::uint64_t total, int flags) {
  if (action == nullptr || extent == nullptr || action->magic != k_action_magic) return -EINVAL;
  abi::hsm_progress progress{};
  progress.hp_fid = action->copy.hc_hai.hai_dfid;
  progress.hp_cookie = action->copy.hc_hai.hai_cookie;
  progress.hp_extent = *extent;
  progress.hp_flags = static_cast<std::uint16_t>(flags);
  const int rc = directory_ioctl(*action->ct, abi::LL_IOC_HSM_PROGRESS, &progress);
  log_progress(*action, action->copy.hc_hai, CopyEvent::running, total, extent->length);
  return rc;
}

LHSM_EXPORT int llapi_hsm_action_end(hsm_copyaction_private** phcp, const abi::hsm_extent* extent, int flags,
                                     int errval) {
  if (phcp == nullptr || extent == nullptr || !is_action(*phcp)) return -EINVAL;
  auto* action = *phcp;
  auto& copy = action->copy;
  errval = std::abs(errval);
  if (copy.hc_hai.hai_action == abi::HSMA_RESTORE && errval == 0 && action->data_fd >= 0)
    errval = settle_restored(*action);
  copy.hc_hai.hai_extent = *extent;
  copy.hc_flags = static_cast<std::uint16_t>(flags);
  copy.hc_errval = static_cast<std::uint16_t>(errval);
  const int rc = directory_ioctl(*action->ct, abi::LL_IOC_HSM_COPY_END, &copy);
  if (rc == 0) log_progress(*action, copy.hc_hai, CopyEvent::finish, 0, 0);
  destroy(action);
  *phcp = nullptr;
  return rc;
}

LHSM_EXPORT int llapi_hsm_action_get_dfid(const hsm_copyaction_private* action, abi::lu_fid* fid) {
  if (!is_action(action) || fid == nullptr) return -EINVAL;
  const auto& item = action->copy.hc_hai;
  if (item.hai_action != abi::HSMA_RESTORE && item.hai_action != abi::HSMA_ARCHIVE) return -EINVAL;
  *fid = item.hai_dfid;
  return 0;
}

LHSM_EXPORT int llapi_hsm_action_get_fd(const hsm_copyaction_private* action) {
  if (!is_action(action)) return -EINVAL;
  const auto kind = action->copy.hc_hai.hai_action;
  if (kind != abi::HSMA_ARCHIVE && kind != abi::HSMA_RESTORE) return -EINVAL;
  const int copy = ::dup(kind == abi::HSMA_ARCHIVE ? action->source_fd : action->data_fd);
  return copy < 0 ? -errno : copy;
}
