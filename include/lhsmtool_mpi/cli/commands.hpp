// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace lhsm::cli {

/// What the processes of the command mean to their caller (DESIGN: exit codes).
enum ExitCode : int {
  k_all_done = 0,
  k_run_failed = 1,
  k_usage = 2,
  k_some_failed = 3,
  k_work_left = 75,
  k_interrupted = 130,
};

/// The whole program. Never throws.
int run(int argc, char** argv);

}  // namespace lhsm::cli
