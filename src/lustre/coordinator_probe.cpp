// SPDX-License-Identifier: LGPL-2.1-or-later
#include "coordinator_probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::lustre {

namespace {

bool is_known(const abi::lu_fid& fid) { return fid.f_seq != 0; }

}  // namespace

Status CoordinatorProbe::ask(int mount_fd) {
  if (m_mdts.empty()) LHSM_TRY(find_root(mount_fd));
  find_others(mount_fd);
  for (auto& [index, mdt] : m_mdts)
    if (is_known(mdt.fid)) LHSM_TRY(ask_mdt(mount_fd, index, mdt));
  return {};
}

Status CoordinatorProbe::find_root(int mount_fd) {
  abi::lu_fid fid{};
  int index = -1;
  if (const int rc = m_api.fd2fid(mount_fd, &fid); rc != 0) return errno_error("fd2fid", m_mount_point, -rc);
  if (const int rc = m_api.get_mdt_index_by_fid(mount_fd, &fid, &index); rc < 0)
    return errno_error("find the MDT of", m_mount_point, -rc);
  m_mdts[index].fid = fid;
  return {};
}

void CoordinatorProbe::find_others(int mount_fd) {
  // So many indices there may be; most of them of no MDT, which the client knows by itself.
  std::uint32_t count = 1;
  if (m_api.ioctl(mount_fd, abi::LL_IOC_GETOBDCOUNT, &count) != 0) count = 1;
  for (int index = 0; index < static_cast<int>(count); ++index) {
    const auto known = m_mdts.find(index);
    if (known != m_mdts.end() && is_known(known->second.fid)) continue;
    abi::lu_fid fid{};
    const int error = make_fid(mount_fd, index, fid);
    if (error == ENODEV) continue;
    Mdt& mdt = m_mdts[index];
    if (error == 0) {
      mdt.fid = fid;
    } else if (!mdt.is_told) {
      mdt.is_told = true;
      log::warning("MDT{:04x} of {}: whether its coordinator runs cannot be asked ({})", index, m_mount_point, errno_name(error));
    }
  }
}

/// Return 0 or an errno. ENOSPC: the file went to another MDT, as to one that takes no new files.
int CoordinatorProbe::make_fid(int mount_fd, int index, abi::lu_fid& fid) const {
  const int rc = m_api.create_volatile_idx(m_mount_point.c_str(), index, O_RDWR | O_CLOEXEC | abi::O_LOV_DELAY_CREATE);
  if (rc < 0) return -rc;
  const Fd file(rc);
  if (const int failed = m_api.fd2fid(*file, &fid); failed != 0) return -failed;
  int found = -1;
  if (const int failed = m_api.get_mdt_index_by_fid(mount_fd, &fid, &found); failed < 0) return -failed;
  return found == index ? 0 : ENOSPC;
}

Status CoordinatorProbe::ask_mdt(int mount_fd, int index, Mdt& mdt) const {
  const auto answer = [&](unsigned long request, void* argument) {
    return m_api.ioctl(mount_fd, request, argument) == 0 ? 0 : errno;
  };
  int code = 0;
  if (!mdt.knows_us) {
    // A sign of life for a request that cannot exist (cookies count from the time of day on). The MDS logs that it did not find it.
    abi::hsm_progress sign{};
    sign.hp_fid = mdt.fid;
    code = answer(abi::LL_IOC_HSM_PROGRESS, &sign);
    mdt.knows_us = code == ENOENT;
    if (mdt.knows_us) return {};
  } else {
    // The restore of what is not released: nothing is to be done, nothing is recorded and nothing logged.
    struct {
      abi::hsm_user_request head;
      abi::hsm_user_item item;
    } request{{{abi::HUA_RESTORE, 0, 0, 1, 0}}, {mdt.fid, {0, ~std::uint64_t{0}}}};
    code = answer(abi::LL_IOC_HSM_REQUEST, &request);
    // ENODATA: by a policy of restores that do not block. ENOENT: the file is gone; that is found out by a coordinator that runs.
    if (code == 0 || code == ENODATA || code == ENOENT) return {};
  }
  return errno_error(fmt::format("ask the coordinator of MDT{:04x} on", index), m_mount_point, code == 0 ? EPROTO : code);
}

}  // namespace lhsm::lustre
