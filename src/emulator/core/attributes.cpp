// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/attributes.hpp"

#include <sys/xattr.h>

#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::emulator {

AttributeNames::AttributeNames(std::string_view space)
    : name_space(space),
      fid(name_space + ".lhsm"),
      hsm(name_space + ".hsm"),
      layout(name_space + ".lov"),
      project(name_space + ".lhsm_project") {}

std::string inode_path(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

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
  return {attrs.hsm_flags, static_cast<std::uint32_t>(attrs.hsm_arch_id), attrs.hsm_arch_ver};
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
