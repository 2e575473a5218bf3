// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::lustre {

/// See Client::create_volatile(); of a Lustre file system that is open as `mount`, in `directory` below it. llapi_create_volatile_idx() does
/// the same less the encryption context, and has the MDT unlink the name afterwards, in case that the file system is none. Here no
/// link and no other mount is followed: users can put the one, this node the other, into the place of a directory on the way (ELOOP,
/// EXDEV). Any thread. EINVAL: an encrypted directory, and no `like`; ENAMETOOLONG.
[[nodiscard]] Outcome<Fd> make_volatile(int mount, const std::string& directory, int mdt_index, int flags, int like);

}  // namespace lhsm::lustre
