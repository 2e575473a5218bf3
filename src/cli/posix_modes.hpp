// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "posix_options.hpp"

namespace lhsm::cli {

/// Carry out a mode other than serve. Of several failures, each of which is in the log, the first is
/// returned.
[[nodiscard]] Status run_posix_mode(const PosixCommand& command);

}  // namespace lhsm::cli
