// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace lhsm::cli {

/// Return whether a program of this name (argv[0]) is to behave as lhsmtool_posix.
[[nodiscard]] bool is_posix_name(const std::string& program);

/// Be lhsmtool_posix: serve, or one of its modes. `program` is what messages and help call it. The exit
/// code is 0 or a positive errno, as far as it is about starting or a mode; that of serve() otherwise.
int run_as_posix(const std::string& program, int argc, char** argv);

}  // namespace lhsm::cli
