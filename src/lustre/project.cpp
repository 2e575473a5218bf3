// SPDX-License-Identifier: LGPL-2.1-or-later
#include "project.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::lustre {

namespace {

bool has_none() { return errno == ENOTTY || errno == EOPNOTSUPP; }

}  // namespace

Outcome<std::uint32_t> project_of(const LlapiTable& api, int fd, std::string_view name) {
  abi::lu_project project{};
  project.project_type = abi::LU_PROJECT_GET;
  if (api.ioctl(fd, abi::LL_IOC_PROJECT, &project) == 0) return project.project_id;
  if (!has_none()) return errno_error("LL_IOC_PROJECT", name);
  struct fsxattr attributes {};  // Lustre before 2.14
  if (api.ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == 0) return attributes.fsx_projid;
  if (!has_none()) return errno_error("FS_IOC_FSGETXATTR", name);
  return 0;
}

Status match_project(const LlapiTable& api, int fd, int like) {
  LHSM_TRY_ASSIGN(const std::uint32_t wanted, project_of(api, like, "restored file"));
  LHSM_TRY_ASSIGN(const std::uint32_t own, project_of(api, fd, "volatile"));
  return own == wanted ? Status() : set_project(api, fd, wanted, "volatile");
}

Status set_project(const LlapiTable& api, int fd, std::uint32_t project, std::string_view name) {
  // All versions know this one; what it is told beside the project is what was there.
  struct fsxattr attributes {};
  if (api.ioctl(fd, FS_IOC_FSGETXATTR, &attributes) != 0) return errno_error("FS_IOC_FSGETXATTR", name);
  attributes.fsx_projid = project;
  if (api.ioctl(fd, FS_IOC_FSSETXATTR, &attributes) != 0) return errno_error("FS_IOC_FSSETXATTR", name);
  return {};
}

}  // namespace lhsm::lustre
