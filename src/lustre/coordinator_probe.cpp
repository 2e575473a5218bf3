// SPDX-License-Identifier: LGPL-2.1-or-later
#include "coordinator_probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::lustre {

Status CoordinatorProbe::ask(int mount_fd) {
  // So many indices there may be; most of them of no MDT.
  std::uint32_t count = 1;
  if (m_api.ioctl(mount_fd, abi::LL_IOC_GETOBDCOUNT, &count) != 0) count = 1;
  bool any = false;
  int unreachable = ENODEV;
  for (int index = 0; index < static_cast<int>(count); ++index) {
    // Requests go to the MDT of their file: only one that is there for certain tells which that is.
    const int rc = m_api.create_volatile_idx(m_mount_point.c_str(), index, O_RDWR | O_CLOEXEC | abi::O_LOV_DELAY_CREATE);
    if (rc < 0) {
      if (rc != -ENODEV) unreachable = -rc;
      continue;
    }
    const Fd file(rc);
    abi::lu_fid fid{};
    if (const int failed = m_api.fd2fid(*file, &fid); failed != 0) return errno_error("fd2fid", m_mount_point, -failed);
    LHSM_TRY(ask_mdt(mount_fd, index, fid));
    any = true;
  }
  if (!any) return errno_error("create volatile file in", m_mount_point, unreachable);
  m_is_administrator = true;
  return {};
}

Status CoordinatorProbe::ask_mdt(int mount_fd, int index, const abi::lu_fid& fid) {
  const auto answer = [&](unsigned long request, void* argument) {
    return m_api.ioctl(mount_fd, request, argument) == 0 ? 0 : errno;
  };
  int code = 0;
  if (!m_is_administrator) {
    // A sign of life for a request that cannot exist (cookies count from the time of day on). The MDS logs that it did not find it.
    abi::hsm_progress sign{};
    sign.hp_fid = fid;
    code = answer(abi::LL_IOC_HSM_PROGRESS, &sign);
    if (code == ENOENT) return {};
  } else {
    // The restore of a file that is not released: nothing is to be done, nothing is recorded and nothing logged.
    struct {
      abi::hsm_user_request head;
      abi::hsm_user_item item;
    } request{{{abi::HUA_RESTORE, 0, 0, 1, 0}}, {fid, {0, ~std::uint64_t{0}}}};
    code = answer(abi::LL_IOC_HSM_REQUEST, &request);
    // ENODATA: by a policy of restores that do not block. ENOENT: a file without a name counts as none, which it finds out
    // after it has found that it runs.
    if (code == 0 || code == ENODATA || code == ENOENT) return {};
  }
  return errno_error(fmt::format("ask the coordinator of MDT{:04x} on", index), m_mount_point, code == 0 ? EPROTO : code);
}

}  // namespace lhsm::lustre
