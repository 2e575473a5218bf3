// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdio>
#include <cstring>

#include "tools/lfs_commands.hpp"

int main(int argc, char** argv) {
  using namespace lhsm::emulator;
  if (argc >= 2)
    for (const auto& command : lfs_commands())
      if (command.name == std::string_view(argv[1])) {
        const int rc = command.run(argc - 1, argv + 1);
        if (rc == k_show_help) std::printf("usage: %s\n", command.usage);
        // The codes of Lustre's lfs: its command parser's for wrong arguments, else the errno.
        return rc < 0 ? -rc : rc;
      }
  std::fprintf(stderr, "usage: lfs <command> ...   (of the emulator)\n");
  for (const auto& command : lfs_commands()) std::fprintf(stderr, "  %s\n", command.usage);
  return 1;
}
