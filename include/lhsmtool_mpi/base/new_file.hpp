// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm {

/// Make a file for writing (0644), a new one: what has the name goes first. It may be a link that somebody else made, who
/// guessed the name of a temporary file of root's. Any thread.
[[nodiscard]] Outcome<Fd> make_new_file(const std::string& path);

}  // namespace lhsm
