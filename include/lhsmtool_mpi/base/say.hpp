// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Words for whoever may be looking. fmt::print throws where a stream cannot be written to: a job of days would end because the disk
// with its output is full, and a complaint on such a stream would abort.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <tuple>
#include <utility>

namespace lhsm {

/// Write to `to` (threads: as std::fwrite). What cannot be written is lost, and std::ferror(to) tells so.
template <class... Args>
void say(std::FILE* to, fmt::format_string<Args...> format, Args&&... args) {
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  std::ignore = std::fwrite(text.data(), 1, text.size(), to);
}

}  // namespace lhsm
