// SPDX-License-Identifier: LGPL-2.1-or-later
#include "space.hpp"

#include <fmt/format.h>

#include <cstring>
#include <limits>

namespace lhsm::lustre {

namespace {

constexpr std::uint32_t k_most_osts = 65535;  // LOV_ALL_STRIPES

std::uint64_t product(std::uint64_t count, std::uint64_t size) {
  std::uint64_t result = 0;
  return __builtin_mul_overflow(count, size, &result) ? std::numeric_limits<std::uint64_t>::max() : result;
}

/// "scratch-OST0001_UUID" is called as in messages; who tells no name gets that of its number.
std::string name_of(const abi::obd_uuid& uuid, const std::string& fsname, std::uint32_t index) {
  std::string name(uuid.uuid, ::strnlen(uuid.uuid, sizeof uuid.uuid));
  constexpr std::string_view k_end = "_UUID";
  if (name.ends_with(k_end)) name.resize(name.size() - k_end.size());
  return name.empty() ? fmt::format("{}-OST{:04x}", fsname, index) : name;
}

}  // namespace

std::string_view to_string(QuotaKind kind) {
  switch (kind) {
    case QuotaKind::user: return "user";
    case QuotaKind::group: return "group";
    case QuotaKind::project: return "project";
  }
  return "?";
}

Outcome<std::vector<OstSpace>> ask_osts(const LlapiTable& api, MountDirectory& mount) {
  if (api.obd_fstatfs == nullptr) return errno_error("ask the OSTs of", mount.path(), EOPNOTSUPP);
  std::vector<OstSpace> osts;
  for (std::uint32_t index = 0; index < k_most_osts; ++index) {
    abi::obd_statfs told{};
    abi::obd_uuid uuid{};
    const int rc = mount.with(
        [&](int fd) { return api.obd_fstatfs(fd, abi::LL_STATFS_LOV | abi::LL_STATFS_NODELAY, index, &told, &uuid); });
    if (rc == -ENODEV) break;      // there are no more
    if (rc == -EAGAIN) continue;  // there is none of this number
    // An OST that exists has told its name before it fails, but for inactive ones: other errors would be those of every number.
    if (rc != 0 && rc != -ENODATA && uuid.uuid[0] == '\0') return errno_error("ask the OSTs of", mount.path(), -rc);
    OstSpace ost;
    ost.index = index;
    ost.name = name_of(uuid, mount.fsname(), index);
    ost.sys_errno = -rc;
    if (rc == 0) {
      ost.states = told.os_state;
      ost.total_bytes = product(told.os_blocks, told.os_bsize);
      ost.free_bytes = product(told.os_bavail, told.os_bsize);
      ost.free_objects = told.os_ffree;
    }
    osts.push_back(std::move(ost));
  }
  return osts;
}

Outcome<Quota> ask_quota(const LlapiTable& api, MountDirectory& mount, QuotaKind kind, std::uint32_t id) {
  abi::if_quotactl query{};
  query.qc_cmd = abi::LUSTRE_Q_GETQUOTA;
  query.qc_type = static_cast<std::uint32_t>(kind);
  query.qc_id = id;
  const auto error = [&](int sys_errno) {
    return errno_error("ask for the quota of", fmt::format("{} {}", to_string(kind), id), sys_errno);
  };
  const int rc = mount.with([&](int fd) { return api.ioctl(fd, abi::OBD_IOC_QUOTACTL, &query) != 0 ? -errno : 0; });
  if (rc != 0) return error(-rc);
  // Some server did not tell what it uses.
  constexpr std::uint32_t k_wanted = abi::QIF_BLIMITS | abi::QIF_SPACE;
  if ((query.qc_dqblk.dqb_valid & k_wanted) != k_wanted) return error(ENODATA);
  Quota quota;
  quota.byte_limit = product(query.qc_dqblk.dqb_bhardlimit, 1024);
  quota.bytes = query.qc_dqblk.dqb_curspace;
  if ((query.qc_dqblk.dqb_valid & abi::QIF_INODES) != 0) {
    quota.file_limit = query.qc_dqblk.dqb_ihardlimit;
    quota.files = query.qc_dqblk.dqb_curinodes;
  }
  return quota;
}

}  // namespace lhsm::lustre
