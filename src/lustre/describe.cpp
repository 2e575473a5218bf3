// SPDX-License-Identifier: LGPL-2.1-or-later
#include "describe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/limits.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/lustre/layout.hpp"
#include "project.hpp"

namespace lhsm::lustre {

namespace {

constexpr const char* k_layout = "lustre.lov";
constexpr const char* k_state = "trusted.hsm";
constexpr const char* k_identity = "trusted.lma";      // struct lustre_mdt_attrs, which may have more fields behind the FID
constexpr const char* k_project = "trusted.projid";    // in decimal; since 2.15
constexpr std::size_t k_fid_at = 8;
constexpr std::uint64_t k_no_mount = ~std::uint64_t{0};
constexpr std::size_t k_longest_identity = 256;
constexpr std::size_t k_longest_project = 16;
constexpr std::size_t k_longest_layout = 2000;  // of 2500 bytes that all may have (10 * GA_DEFAULT_EA_VAL_LEN, mdc_locks.c)

/// Read a layout by `get(value, size)`; an empty one of a file without, nothing when it cannot be had.
template <class Get>
std::optional<std::string> read_layout(Get get) {
  std::string lov(512, '\0');
  ssize_t size = 0;
  while ((size = get(lov.data(), lov.size())) < 0 && errno == ERANGE && lov.size() <= XATTR_SIZE_MAX)
    lov.resize(lov.size() * 8);
  if (size < 0 && errno != ENODATA) return std::nullopt;
  lov.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return lov;
}

/// Read a number in decimal; a NUL behind it, which Lustre does not count, would do no harm.
bool take_number(std::string_view text, std::uint32_t& number) {
  const char* const end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, number);
  return ec == std::errc{} && (at == end || *at == '\0');
}

/// Return which mount a descriptor is of; k_no_mount when the kernel does not tell.
std::uint64_t mount_id(int fd, const struct statx& known) {
  if ((known.stx_mask & STATX_MNT_ID) != 0) return known.stx_mnt_id;
  // Before Linux 5.8. Without room for the handle it is told, too.
  struct file_handle none {};
  int id = 0;
  if (::name_to_handle_at(fd, "", &none, &id, AT_EMPTY_PATH) != 0 && errno != EOVERFLOW) return k_no_mount;
  return static_cast<std::uint64_t>(id);
}

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

Outcome<FileFacts> Describer::by_xattrs(int directory, const std::string& name, FactsFrom from) const {
  // O_PATH opens nothing on a server, whatever the name is of, and keeps to one file from here on. With fstat() it is what lets a client
  // fetch attributes ahead.
  const Fd file(::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return errno_error("open", name);
  struct statx known {};
  if (::statx(*file, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &known) != 0) return errno_error("stat", name);
  FileFacts facts;
  facts.attributes.st_mode = known.stx_mode;
  facts.attributes.st_dev = makedev(known.stx_dev_major, known.stx_dev_minor);
  if (!S_ISREG(known.stx_mode)) return facts;
  // Another mount of the same file system looks alike, and its client has forgotten nothing.
  if (const auto mount = mount_id(*file, known); mount == k_no_mount || mount != m_mount_id)
    return by_name(directory, name, KnownKind::regular_file);
  const std::string path = fmt::format("/proc/self/fd/{}", *file);
  if (from == FactsFrom::xattrs_of_released) {
    // The layout comes with the attributes, above; a size is not asked for.
    const auto lov = layout_by_path(path);
    // None may be one that did not fit into the reply.
    facts.is_known_not_released = lov && !lov->empty() && is_released(*lov) == false;
    if (facts.is_known_not_released) return facts;
  }
  if (::fstat(*file, &facts.attributes) != 0) return errno_error("stat", name);
  if (read_xattrs(path, facts)) return facts;
  return by_name(directory, name, KnownKind::regular_file);
}

Status Describer::expect_xattrs(const std::string& mount_point) {
  std::array<char, k_longest_project> project{};
  if (m_api.getxattr(mount_point.c_str(), k_project, project.data(), project.size()) < 0)
    return errno_error("read trusted.projid of", mount_point, errno == ENODATA ? EOPNOTSUPP : errno);
  const Fd directory(::open(mount_point.c_str(), O_PATH | O_CLOEXEC));
  struct statx known {};
  if (!directory || ::statx(*directory, "", AT_EMPTY_PATH, STATX_MNT_ID, &known) != 0) return errno_error("stat", mount_point);
  m_mount_id = mount_id(*directory, known);
  if (m_mount_id == k_no_mount) return errno_error("tell the mount of", mount_point, EOPNOTSUPP);
  return {};
}

std::optional<std::string> Describer::layout_by_path(const std::string& path) const {
  return read_layout([&](char* value, std::size_t size) { return m_api.getxattr(path.c_str(), k_layout, value, size); });
}

bool Describer::read_xattrs(const std::string& path, FileFacts& facts) const {
  const auto get = [&](const char* name, void* value, std::size_t size) {
    return m_api.getxattr(path.c_str(), name, value, size);
  };
  // What the client has of it since fstat(), which must come before. With a long one the xattrs are too long for its one request.
  const auto lov = layout_by_path(path);
  if (!lov || lov->empty() || lov->size() > k_longest_layout) return false;
  facts.stripe_size = stripe_size_of(*lov);
  facts.stripe_count = stripe_count_of(*lov);

  // The first one tells whether we are shown any: to others than root a state would look like none.
  std::array<char, k_longest_identity> identity{};
  abi::lu_fid fid{};
  if (get(k_identity, identity.data(), identity.size()) < static_cast<ssize_t>(k_fid_at + sizeof fid)) return false;
  std::memcpy(&fid, identity.data() + k_fid_at, sizeof fid);
  facts.fid = {fid.f_seq, fid.f_oid, fid.f_ver};

  abi::hsm_attrs state{};
  const auto has_none = [&] {
    const auto size = get(k_state, &state, sizeof state);
    return size < 0 && errno == ENODATA ? std::optional(true)
                                        : size == static_cast<ssize_t>(sizeof state) ? std::optional(false) : std::nullopt;
  };
  auto is_without = has_none();
  std::array<char, k_longest_project> project{};
  if (!take_number({project.data(), static_cast<std::size_t>(std::max<ssize_t>(0, get(k_project, project.data(), project.size())))},
                   facts.project_id))
    return false;
  // ENODATA may stand for a collection of all that failed: it is believed when it is repeated after another one was told.
  if (is_without == true) is_without = has_none();
  if (!is_without) return false;
  if (!*is_without) {
    facts.hsm_state = state.hsm_flags & abi::HSM_FLAGS_MASK;
    facts.archive_id = static_cast<std::uint32_t>(state.hsm_arch_id);
  }
  // Layouts are taken back from clients when they change: where state and layout differ, the state is old.
  return is_released(*lov) == ((facts.hsm_state & abi::HS_RELEASED) != 0);
}

Outcome<FileFacts> Describer::by_descriptor(int fd) const { return of_open_file(fd, fmt::format("fd {}", fd)); }

Outcome<FileFacts> Describer::of_open_file(int fd, const std::string& name) const {
  FileFacts facts;
  if (::fstat(fd, &facts.attributes) != 0) return errno_error("stat", name);
  if (!S_ISREG(facts.attributes.st_mode)) return facts;
  LHSM_TRY(ask(fd, name, facts));
  return facts;
}

Status Describer::ask(int fd, const std::string& name, FileFacts& facts) const {
  abi::lu_fid raw{};
  if (const int rc = m_api.fd2fid(fd, &raw); rc != 0) return errno_error("fd2fid", name, -rc);
  facts.fid = {raw.f_seq, raw.f_oid, raw.f_ver};
  abi::hsm_user_state state{};
  if (m_api.ioctl(fd, abi::LL_IOC_HSM_STATE_GET, &state) != 0) return errno_error("LL_IOC_HSM_STATE_GET", name);
  facts.hsm_state = state.hus_states & abi::HSM_FLAGS_MASK;
  facts.archive_id = state.hus_archive_id;
  LHSM_TRY_ASSIGN(facts.project_id, project_of(m_api, fd, name));
  // A file whose layout cannot be had is described without one.
  const auto lov = read_layout([&](char* value, std::size_t size) { return m_api.fgetxattr(fd, k_layout, value, size); });
  facts.stripe_size = stripe_size_of(lov.value_or(""));
  facts.stripe_count = stripe_count_of(lov.value_or(""));
  return {};
}

}  // namespace lhsm::lustre
