// SPDX-License-Identifier: LGPL-2.1-or-later
#include "describe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <unistd.h>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/lustre/layout.hpp"

namespace lhsm::lustre {

namespace {

constexpr const char* k_layout = "lustre.lov";

/// What open says of what is no regular file (any more): a symbolic link, a socket, a device without a driver.
bool is_of_another_kind(int sys_errno) { return sys_errno == ELOOP || sys_errno == ENXIO || sys_errno == ENODEV; }

}  // namespace

Outcome<FileFacts> Describer::by_name(int directory, const std::string& name, KnownKind kind) const {
  FileFacts facts;
  const auto look = [&] { return ::fstatat(directory, name.c_str(), &facts.attributes, AT_SYMLINK_NOFOLLOW) == 0; };
  // To open what is no regular file may do something: wind a tape.
  if (kind == KnownKind::unknown) {
    if (!look()) return errno_error("stat", name);
    if (!S_ISREG(facts.attributes.st_mode)) return facts;
  }
  // O_NONBLOCK: it may have become a fifo. An open does not restore what is released, whatever is done with it here.
  const Fd file(::openat(directory, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (file) return of_open_file(*file, name);
  auto error = errno_error("open", name);
  if (is_of_another_kind(error.value().sys_errno) && look() && !S_ISREG(facts.attributes.st_mode)) return facts;
  return error;
}

Outcome<FileFacts> Describer::by_descriptor(int fd) const { return of_open_file(fd, fmt::format("fd {}", fd)); }

Outcome<FileFacts> Describer::of_open_file(int fd, const std::string& name) const {
  FileFacts facts;
  if (::fstat(fd, &facts.attributes) != 0) return errno_error("stat", name);
  if (!S_ISREG(facts.attributes.st_mode)) return facts;
  LHSM_TRY(ask(fd, name, facts));
  return facts;
}

Outcome<std::uint32_t> Describer::project_of(int fd, const std::string& name) const {
  const auto has_none = [] { return errno == ENOTTY || errno == EOPNOTSUPP; };
  abi::lu_project project{};
  project.project_type = abi::LU_PROJECT_GET;
  if (m_api.ioctl(fd, abi::LL_IOC_PROJECT, &project) == 0) return project.project_id;
  if (!has_none()) return errno_error("LL_IOC_PROJECT", name);
  struct fsxattr attributes {};  // Lustre before 2.14
  if (m_api.ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == 0) return attributes.fsx_projid;
  if (!has_none()) return errno_error("FS_IOC_FSGETXATTR", name);
  return 0;  // file systems without projects
}

Status Describer::ask(int fd, const std::string& name, FileFacts& facts) const {
  abi::lu_fid raw{};
  if (const int rc = m_api.fd2fid(fd, &raw); rc != 0) return errno_error("fd2fid", name, -rc);
  facts.fid = {raw.f_seq, raw.f_oid, raw.f_ver};
  abi::hsm_user_state state{};
  if (m_api.ioctl(fd, abi::LL_IOC_HSM_STATE_GET, &state) != 0) return errno_error("LL_IOC_HSM_STATE_GET", name);
  facts.hsm_state = state.hus_states & abi::HSM_FLAGS_MASK;
  facts.archive_id = state.hus_archive_id;
  LHSM_TRY_ASSIGN(facts.project_id, project_of(fd, name));
  // A file whose layout cannot be had is described without one.
  std::string lov(512, '\0');
  ssize_t size = 0;
  while ((size = m_api.fgetxattr(fd, k_layout, lov.data(), lov.size())) < 0 && errno == ERANGE && lov.size() <= XATTR_SIZE_MAX)
    lov.resize(lov.size() * 8);
  if (size >= 0) {
    const std::string_view bytes(lov.data(), static_cast<std::size_t>(size));
    facts.stripe_size = stripe_size_of(bytes);
    facts.stripe_count = stripe_count_of(bytes);
  }
  return {};
}

}  // namespace lhsm::lustre
