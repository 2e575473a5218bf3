// SPDX-License-Identifier: LGPL-2.1-or-later
#include "library/shown_attributes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "client/emulated_devices.hpp"
#include "core/data_version.hpp"
#include "library/llapi.hpp"

namespace lhsm::emulator {
namespace {

constexpr const char k_hsm[] = "trusted.hsm";
constexpr const char k_lma[] = "trusted.lma";
constexpr const char k_projid[] = "trusted.projid";
constexpr const char k_tag[] = "trusted.lhsm";
constexpr const char k_tagged_project[] = "trusted.lhsm_project";

/// struct lustre_mdt_attrs as far as all versions have it.
struct MdtAttributes {
  std::uint32_t compat;
  std::uint32_t incompat;
  abi::lu_fid self;
};

ssize_t give(const void* content, std::size_t length, void* value, std::size_t size) {
  if (size == 0) return static_cast<ssize_t>(length);
  if (size < length) {
    errno = ERANGE;
    return -1;
  }
  std::memcpy(value, content, length);
  return static_cast<ssize_t>(length);
}

ssize_t give_fid(const Fid& fid, void* value, std::size_t size) {
  const MdtAttributes lma{0, 0, {fid.seq, fid.oid, fid.ver}};
  return give(&lma, sizeof lma, value, size);
}

enum class Own { hsm, lma, projid };

const char* name_of(Own own) { return own == Own::hsm ? k_hsm : own == Own::lma ? k_lma : k_projid; }

std::optional<Own> own_of(const char* name) {
  if (name == nullptr) return std::nullopt;
  for (const Own own : {Own::hsm, Own::lma, Own::projid})
    if (std::strcmp(name, name_of(own)) == 0) return own;
  return std::nullopt;
}

/// As text, and of every file: those without a project are in project 0.
ssize_t give_project(long call, const char* path, const char* kept_as, void* value, std::size_t size) {
  std::array<std::uint32_t, 2> project{};  // and its flags
  if (::syscall(call, path, kept_as, project.data(), sizeof project) != sizeof project) project = {};
  const std::string text = std::to_string(project[0]);
  return give(text.data(), text.size(), value, size);
}

/// The attributes and the tag of a file on a mount that keeps them in trusted names; nothing of any other.
struct Tagged {
  struct stat st {};
  FidTag tag;
};
std::optional<Tagged> read_tagged(long call, const char* path) {
  Tagged found;
  if (::syscall(call, path, k_tag, &found.tag, sizeof found.tag) != sizeof found.tag) return std::nullopt;
  const int flags = call == SYS_lgetxattr ? AT_SYMLINK_NOFOLLOW : 0;
  if (::fstatat(AT_FDCWD, path, &found.st, flags) != 0) return std::nullopt;
  if (found.tag.inode != static_cast<std::uint32_t>(found.st.st_ino)) return std::nullopt;
  const auto has_trusted_names = [](const AttributeNames& names, int) { return names.fid == k_tag; };
  if (!any_mount_on(found.st.st_dev, has_trusted_names, -1)) return std::nullopt;
  return found;
}

/// Return whether the state in the xattr is the one that the daemon would tell.
bool is_up_to_date(const abi::hsm_attrs& hsm, long call, const char* path) {
  if ((hsm.hsm_flags & (abi::HS_EXISTS | abi::HS_RELEASED | abi::HS_DIRTY)) != abi::HS_EXISTS) return true;
  const auto file = read_tagged(call, path);
  return file && file->tag.seen_version == data_version(file->st);
}

/// With the daemon's help; the kernel's own answer where there is no emulated mount.
ssize_t ask(long call, const char* path, Own own, void* value, std::size_t size) {
  const Fd fd(::open(path, O_PATH | O_CLOEXEC | (call == SYS_lgetxattr ? O_NOFOLLOW : 0)));
  Mount* const mount = fd ? find_mount(*fd) : nullptr;
  if (mount == nullptr) return ::syscall(call, path, name_of(own), value, size);
  if (own == Own::projid) return give_project(SYS_getxattr, inode_path(*fd).c_str(), mount->names().project.c_str(), value, size);
  const auto fid = mount->fid_of(*fd);
  if (!fid) {
    errno = fid.error().sys_errno == ENOTTY ? ENODATA : fid.error().sys_errno;
    return -1;
  }
  if (own == Own::lma) return give_fid(*fid, value, size);
  Writer request;
  request.put(Op::state_get).put(*fid);
  if (const auto answer = mount->call(request); answer.rc < 0) {
    errno = -answer.rc;
    return -1;
  }
  return ::syscall(SYS_getxattr, inode_path(*fd).c_str(), mount->names().hsm.c_str(), value, size);
}

}  // namespace

bool is_server_attribute(const char* name) { return own_of(name).has_value() && ::geteuid() == 0; }

ssize_t get_server_attribute(long call, const char* path, const char* name, void* value, std::size_t size) {
  const Own own = own_of(name).value_or(Own::hsm);
  if (own != Own::hsm) {
    const auto file = read_tagged(call, path);
    if (!file) return ask(call, path, own, value, size);
    if (own == Own::lma) return give_fid(file->tag.fid(), value, size);
    return give_project(call, path, k_tagged_project, value, size);
  }
  abi::hsm_attrs hsm{};
  if (::syscall(call, path, k_hsm, &hsm, sizeof hsm) == sizeof hsm)
    return is_up_to_date(hsm, call, path) ? give(&hsm, sizeof hsm, value, size) : ask(call, path, Own::hsm, value, size);
  // Where a mount of this process keeps its xattrs in user names, the kernel's "there is none" says nothing.
  return only_trusted_names() ? -1 : ask(call, path, Own::hsm, value, size);
}

}  // namespace lhsm::emulator
