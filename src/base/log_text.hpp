// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace lhsm::log {

/// Return `text` as one line: control characters as \n, \t or \x1b. Other bytes stay, UTF-8 or not.
[[nodiscard]] std::string one_line(std::string_view text);

/// Return `text` as a string of JSON, with its quotes; what is no UTF-8 becomes U+FFFD, byte by byte.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace lhsm::log
