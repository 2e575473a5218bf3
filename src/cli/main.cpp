// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/commands.hpp"

int main(int argc, char** argv) { return lhsm::cli::run(argc, argv); }
