// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

#include "client/mount.hpp"

namespace lhsm::emulator {

[[nodiscard]] bool is_pool_command(std::string_view command);

/// pool_new, pool_add, pool_remove, pool_destroy, pool_list; `argv[0]` is the command. A positive errno.
int run_pool_command(Mount& mount, int argc, char** argv);

}  // namespace lhsm::emulator
