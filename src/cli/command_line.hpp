// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace lhsm::cli {

/// Return `text` as one word that a shell reads as it is.
std::string shell_word(std::string_view text);

/// Return the command line for records: what a shell would run again.
std::string command_line_of(int argc, char** argv);

}  // namespace lhsm::cli
