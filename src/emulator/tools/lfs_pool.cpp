// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/lfs_commands.hpp"

extern "C" int llapi_poollist(const char* name);

namespace lhsm::emulator {

int lfs_pool_list(int argc, char** argv) { return argc != 2 ? k_show_help : llapi_poollist(argv[1]); }

}  // namespace lhsm::emulator
