// SPDX-License-Identifier: LGPL-2.1-or-later
#include "describe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/lustre/layout.hpp"

namespace lhsm::lustre {

namespace {

constexpr int k_compared_files = 64;
constexpr const char* k_layout = "lustre.lov";

/// Content of the xattr trusted.lma as far as all versions have it, little endian.
struct LustreMdtAttributes {
  std::uint32_t compat;
  std::uint32_t incompat;
  abi::lu_fid self;
};
static_assert(sizeof(LustreMdtAttributes) == 24);

Fid to_fid(const abi::lu_fid& raw) { return {raw.f_seq, raw.f_oid, raw.f_ver}; }

/// To others trusted names look as if no file had them.
bool may_read_trusted() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return false;
  return (data[CAP_SYS_ADMIN / 32].effective & (1U << (CAP_SYS_ADMIN % 32))) != 0;
}

/// Fill in the stripes; `read` is a getxattr of lustre.lov into a buffer. A file whose layout cannot be had is described
/// without one.
template <class Read>
void read_layout(Read read, FileFacts& facts) {
  std::string lov(512, '\0');
  ssize_t size = 0;
  while ((size = read(lov.data(), lov.size())) < 0 && errno == ERANGE && lov.size() <= XATTR_SIZE_MAX)
    lov.resize(lov.size() * 8);
  if (size < 0) return;
  const std::string_view bytes(lov.data(), static_cast<std::size_t>(size));
  facts.stripe_size = stripe_size_of(bytes);
  facts.stripe_count = stripe_count_of(bytes);
}

bool same_facts(const FileFacts& a, const FileFacts& b) {
  return a.fid == b.fid && a.hsm_state == b.hsm_state && a.archive_id == b.archive_id;
}

}  // namespace

Describer::Describer(const LlapiTable& api) : m_api(api), m_trust(may_read_trusted() ? k_compared_files : -1) {}

Outcome<FileFacts> Describer::by_name(int directory, const std::string& name) {
  FileFacts facts;
  if (::fstatat(directory, name.c_str(), &facts.attributes, AT_SYMLINK_NOFOLLOW) != 0) return errno_error("stat", name);
  if (!S_ISREG(facts.attributes.st_mode)) return facts;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", directory, name);
  read_layout([&](char* value, std::size_t size) { return m_api.lgetxattr(path.c_str(), k_layout, value, size); }, facts);
  const int trust = m_trust.load(std::memory_order_relaxed);
  if (trust >= 0) {
    const Status read = read_xattrs(path, facts);
    if (read && trust == 0) return facts;
    if (!read && read.error().sys_errno == ENOENT) return Failure(read.error());
  }
  // O_NONBLOCK: it may have become a fifo. An open does not restore what is released, whatever is done with it here.
  const Fd file(::openat(directory, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return errno_error("open", name);
  FileFacts answered = facts;
  LHSM_TRY(ask(*file, name, answered));
  if (trust > 0) {
    const bool same = same_facts(facts, answered);
    // The state may have changed between the two looks: what the xattr says now decides.
    if (!same && read_xattrs(path, facts) && !same_facts(facts, answered)) {
      m_trust.store(-1, std::memory_order_relaxed);
      log::debug("trusted.hsm and trusted.lma do not say what the file system does: files are opened");
    } else if (same) {
      int left = trust;
      m_trust.compare_exchange_strong(left, trust - 1, std::memory_order_relaxed);
    }
  }
  return answered;
}

Outcome<FileFacts> Describer::by_descriptor(int fd) {
  FileFacts facts;
  const std::string name = fmt::format("fd {}", fd);
  if (::fstat(fd, &facts.attributes) != 0) return errno_error("stat", name);
  if (!S_ISREG(facts.attributes.st_mode)) return facts;
  read_layout([&](char* value, std::size_t size) { return m_api.fgetxattr(fd, k_layout, value, size); }, facts);
  LHSM_TRY(ask(fd, name, facts));
  return facts;
}

Outcome<Project> Describer::project(int fd) const {
  struct fsxattr attributes {};
  if (m_api.ioctl(fd, FS_IOC_FSGETXATTR, &attributes) != 0) {
    // File systems without projects.
    if (errno == ENOTTY || errno == EOPNOTSUPP) return Project{};
    return errno_error("FS_IOC_FSGETXATTR", fmt::format("fd {}", fd));
  }
  return Project{attributes.fsx_projid, (attributes.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0};
}

Status Describer::read_xattrs(const std::string& path, FileFacts& facts) const {
  LustreMdtAttributes lma{};
  if (m_api.lgetxattr(path.c_str(), "trusted.lma", &lma, sizeof lma) != sizeof lma)
    return errno_error("read trusted.lma of", path);
  facts.fid = to_fid(lma.self);
  abi::hsm_attrs hsm{};
  const ssize_t size = m_api.lgetxattr(path.c_str(), "trusted.hsm", &hsm, sizeof hsm);
  if (size < 0 && errno != ENODATA) return errno_error("read trusted.hsm of", path);
  facts.hsm_state = size == sizeof hsm ? hsm.hsm_flags & abi::HSM_FLAGS_MASK : 0;
  facts.archive_id = size == sizeof hsm ? static_cast<std::uint32_t>(hsm.hsm_arch_id) : 0;
  return {};
}

Status Describer::ask(int fd, const std::string& name, FileFacts& facts) const {
  abi::lu_fid raw{};
  if (const int rc = m_api.fd2fid(fd, &raw); rc != 0) return errno_error("fd2fid", name, -rc);
  facts.fid = to_fid(raw);
  abi::hsm_user_state state{};
  if (m_api.ioctl(fd, abi::LL_IOC_HSM_STATE_GET, &state) != 0) return errno_error("LL_IOC_HSM_STATE_GET", name);
  facts.hsm_state = state.hus_states & abi::HSM_FLAGS_MASK;
  facts.archive_id = state.hus_archive_id;
  return {};
}

}  // namespace lhsm::lustre
