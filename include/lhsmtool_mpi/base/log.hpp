// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Log lines on stderr: "2026-11-22T12:00:00.123 host[rank] level text", one write per line, so that
// the lines of many ranks do not interleave. Any thread may log. spdlog stays behind this header.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace lhsm::log {

enum class Level { debug, info, warning, error, off };

/// Set who speaks and from which level on. Called once, before threads log.
void set_up(std::string_view host, int rank, Level level);
[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view text);
/// Return the version of spdlog that this was built with.
[[nodiscard]] std::string library_version();

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::warning)) write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::error)) write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace lhsm::log
