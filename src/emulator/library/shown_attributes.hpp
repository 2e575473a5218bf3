// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace lhsm::emulator {

/// Return whether root may read, by this name, what the servers of a Lustre keep on a file and the emulator keeps in
/// another way, or may have to bring up to date first: trusted.hsm, trusted.lma, trusted.projid.
[[nodiscard]] bool is_server_attribute(const char* name);

/// Answer a getxattr() by path (`call`: SYS_getxattr or SYS_lgetxattr) of such a name. Where nothing has happened to the
/// file since the daemon saw it, without asking the daemon: who goes through a tree asks it for every file.
ssize_t get_server_attribute(long call, const char* path, const char* name, void* value, std::size_t size);

}  // namespace lhsm::emulator
