// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/attributes.hpp"

#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::emulator {
namespace {

HsmState state_of(const abi::hsm_attrs& attrs) {
  return {attrs.hsm_flags, static_cast<std::uint32_t>(attrs.hsm_arch_id), attrs.hsm_arch_ver};
}

}  // namespace

AttributeNames::AttributeNames(std::string_view space)
    : name_space(space),
      fid(name_space + ".lhsm"),
      hsm(name_space + ".hsm"),
      layout(name_space + ".lov"),
      project(name_space + ".lhsm_project") {}

std::string inode_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

ssize_t read_attribute(int fd, const char* name, void* value, std::size_t size) {
  // The way through /proc costs three times as much; descriptors that are a path only have no other.
  const auto got = ::syscall(SYS_fgetxattr, fd, name, value, size);
  return got >= 0 || errno != EBADF ? got : ::syscall(SYS_getxattr, inode_path(fd).c_str(), name, value, size);
}

std::optional<FidTag> read_tag(int fd, const AttributeNames& names) {
  FidTag tag;
  if (read_attribute(fd, names.fid.c_str(), &tag, sizeof tag) != sizeof tag) return std::nullopt;
  return tag;
}

HsmState read_hsm(int fd, const AttributeNames& names) {
  abi::hsm_attrs attrs{};
  if (read_attribute(fd, names.hsm.c_str(), &attrs, sizeof attrs) != sizeof attrs) return {};
  return state_of(attrs);
}

std::optional<FidTag> read_tag(const std::string& path, const AttributeNames& names) {
  FidTag tag;
  if (::getxattr(path.c_str(), names.fid.c_str(), &tag, sizeof tag) != sizeof tag) return std::nullopt;
  return tag;
}

Status write_tag(const std::string& path, const AttributeNames& names, const FidTag& tag) {
  if (::setxattr(path.c_str(), names.fid.c_str(), &tag, sizeof tag, 0) != 0) return errno_error("setxattr", path);
  return {};
}

HsmState read_hsm(const std::string& path, const AttributeNames& names) {
  abi::hsm_attrs attrs{};
  if (::getxattr(path.c_str(), names.hsm.c_str(), &attrs, sizeof attrs) != sizeof attrs) return {};
  return state_of(attrs);
}

Status write_hsm(const std::string& path, const AttributeNames& names, const HsmState& state) {
  abi::hsm_attrs attrs{};
  attrs.hsm_flags = state.flags;
  attrs.hsm_arch_id = state.archive_id;
  attrs.hsm_arch_ver = state.archive_version;
  if (::setxattr(path.c_str(), names.hsm.c_str(), &attrs, sizeof attrs, 0) != 0) return errno_error("setxattr", path);
  return {};
}

}  // namespace lhsm::emulator
