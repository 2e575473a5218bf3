// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the emulator keeps on a file itself, in extended attributes, so that it survives the daemon:
// the FID with the data version last seen, and Lustre's own hsm_attrs. The two are made to fit into
// a 256-byte ext4 inode together. Names are in "trusted." as on Lustre, or in "user." where the file
// system or the user's rights do not allow that.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/admission.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

/// The xattr that makes a file known. A tag that was copied to another inode (cp -a, rsync -X) is
/// recognised by the inode number in it and counts as none.
struct FidTag {
  std::uint64_t seq = 0;
  std::uint32_t oid = 0;
  std::uint32_t inode = 0;         ///< low half of st_ino
  std::uint64_t seen_version = 0;  ///< data version at the last look; another one means DIRTY

  [[nodiscard]] Fid fid() const { return {seq, oid, 0}; }
};
static_assert(sizeof(FidTag) == 24);

/// Full names of the xattrs in one name space.
class AttributeNames {
 public:
  explicit AttributeNames(std::string_view name_space);

  std::string name_space;  ///< "trusted" or "user"
  std::string fid;         ///< FidTag
  std::string hsm;         ///< abi::hsm_attrs
  std::string layout;      ///< what "lustre.lov" shows
  std::string project;     ///< id and flags of the project, where one was set
};

/// Return a path that means the inode behind a descriptor, O_PATH ones included.
[[nodiscard]] std::string inode_path(int fd);

/// getxattr(2) of the inode behind a descriptor, O_PATH ones included; as the kernel has it, with no name served
/// by the library.
[[nodiscard]] ssize_t read_attribute(int fd, const char* name, void* value, std::size_t size);

/// Read from the inode behind a descriptor.
[[nodiscard]] std::optional<FidTag> read_tag(int fd, const AttributeNames& names);
[[nodiscard]] HsmState read_hsm(int fd, const AttributeNames& names);

/// Read or write by path; symbolic links in the last part are followed, as inode_path() needs.
[[nodiscard]] std::optional<FidTag> read_tag(const std::string& path, const AttributeNames& names);
Status write_tag(const std::string& path, const AttributeNames& names, const FidTag& tag);
[[nodiscard]] HsmState read_hsm(const std::string& path, const AttributeNames& names);
Status write_hsm(const std::string& path, const AttributeNames& names, const HsmState& state);

}  // namespace lhsm::emulator
