// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The room that is told of MDTs and OSTs: each OST has its share of the file system below.
#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "client/pools.hpp"
#include "library/llapi.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

constexpr std::uint32_t k_metadata_targets = 1;  // LL_STATFS_LMV

abi::obd_statfs share_of(const struct statvfs& system, std::uint32_t targets) {
  abi::obd_statfs share{};
  share.os_bsize = static_cast<std::uint32_t>(system.f_frsize);
  share.os_namelen = static_cast<std::uint32_t>(system.f_namemax);
  share.os_blocks = system.f_blocks / targets;
  share.os_bfree = system.f_bfree / targets;
  share.os_bavail = system.f_bavail / targets;
  // A file system without a table of files makes them while there are blocks.
  share.os_files = (system.f_files != 0 ? system.f_files : system.f_blocks) / targets;
  share.os_ffree = (system.f_files != 0 ? system.f_favail : system.f_bavail) / targets;
  return share;
}

int tell_ost(Mount& mount, std::uint32_t index, abi::obd_statfs& told) {
  const auto* model = mount.model().state();
  if (model == nullptr || model->is_paced == 0) return 0;
  const auto condition = model->osts[index % k_most_osts].condition.load();
  if (condition == OstCondition::inactive) return -ENODATA;
  if (condition == OstCondition::full) {
    told.os_bfree = told.os_bavail = 0;
    told.os_state |= abi::OS_STATFS_ENOSPC;
  }
  return 0;
}

}  // namespace

LHSM_EXPORT int llapi_obd_fstatfs(int fd, std::uint32_t type, std::uint32_t index, abi::obd_statfs* told,
                                  abi::obd_uuid* uuid) {
  Mount* const mount = find_mount(fd);
  if (mount == nullptr) return -ENOTTY;
  const bool is_mdt = (type & k_metadata_targets) != 0;
  if (!is_mdt && (type & abi::LL_STATFS_LOV) == 0) return -ENODEV;
  const std::uint32_t targets = is_mdt ? mount->mdt_count() : mount->ost_count();
  if (index >= targets) return -ENODEV;
  struct statvfs system {};
  if (::fstatvfs(mount->root_fd(), &system) != 0) return -errno;
  abi::obd_statfs share = share_of(system, targets);
  if (!is_mdt)
    if (const int rc = tell_ost(*mount, index, share); rc != 0) return rc;
  auto name = ost_uuid(*mount, static_cast<std::uint16_t>(index));
  if (is_mdt) name.replace(name.rfind("OST"), 3, "MDT");
  std::snprintf(uuid->uuid, sizeof uuid->uuid, "%s", name.c_str());
  *told = share;
  return 0;
}

LHSM_EXPORT int llapi_obd_statfs(const char* path, std::uint32_t type, std::uint32_t index, abi::obd_statfs* told,
                                 abi::obd_uuid* uuid) {
  const Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return -errno;
  return llapi_obd_fstatfs(*file, type, index, told, uuid);
}
