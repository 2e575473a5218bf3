// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace lhsm {

/// Return whether a lock on the open file `fd` is seen by every host that has the file system mounted, so
/// that a lock which can be had says that nobody lives. False where that is not known: some network file
/// systems lock within one host only, always or by a mount option.
[[nodiscard]] bool locks_reach_all_hosts(int fd);

/// Return whether a line of /proc/self/mountinfo has an option that keeps locks within the host.
[[nodiscard]] bool has_local_locks(std::string_view mountinfo_line);

}  // namespace lhsm
