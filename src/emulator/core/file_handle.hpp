// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::emulator {

/// Return the kernel's handle of the inode behind `fd` (its type, then its bytes), by which it can be
/// opened whatever its names; "" where the file system has none.
[[nodiscard]] std::string make_handle(int fd);

/// Open by such a handle, with any descriptor of the same file system. Needs CAP_DAC_READ_SEARCH. An
/// empty Fd says why in errno: ESTALE when the inode is gone.
[[nodiscard]] Fd open_handle(int mount_fd, std::string_view packed, int flags);

}  // namespace lhsm::emulator
