// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "posix_options.hpp"

namespace lhsm::cli {

/// Carry out a mode other than serve and return the exit code. Of several failures, each of which is in
/// the log, the first is returned; of a list's lines there is only a 1, as with lhsmtool_posix.
[[nodiscard]] Outcome<int> run_posix_mode(const PosixCommand& command);

}  // namespace lhsm::cli
