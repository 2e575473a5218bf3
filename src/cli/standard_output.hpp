// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace lhsm::cli {

/// Print what a command was called for. Throws Fatal where it did not all get out, as on a full disk: who keeps it in a file must not take
/// an empty one for an answer.
void print_answer(std::string_view text);
/// The same for what was printed so far.
void flush_answer();

}  // namespace lhsm::cli
