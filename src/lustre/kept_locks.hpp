// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

namespace lhsm::lustre {

/// Where a Lustre client shows its parameters, and how long all of this may take.
struct ClientParameters {
  std::filesystem::path sysfs = "/sys/fs/lustre";
  std::filesystem::path debugfs = "/sys/kernel/debug/lustre";
  std::chrono::milliseconds patience{10'000};
};

/// Let the client of `mount_point` drop the locks of its MDTs that nobody is using, and with them what it keeps of files under
/// these, as `lctl set_param ldlm.namespaces.*-mdc-*.lru_size=clear` does; on return they are gone, but for what was taken or in
/// use meanwhile. Its other users ask the servers again. Nothing is done, successfully, on a mount without such a
/// client. Waits for the MDTs, in the kernel, and for others that are about it.
/// EOPNOTSUPP: the client cannot be told apart, or keeps no xattrs, so that each would be a request; EHOSTDOWN: an MDT
/// is known not to answer; EBUSY: locks did not become fewer in time; ENOENT, EACCES, EROFS: the client's parameters.
[[nodiscard]] Status drop_kept_locks(const LlapiTable& api, const std::string& mount_point);

/// The same for the client `instance` ("lustre-ffff9c2f4b0a1000", as llapi_getname() tells it).
[[nodiscard]] Status drop_kept_locks_of(const std::string& instance, const ClientParameters& parameters);

}  // namespace lhsm::lustre
