// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Log lines on stderr, or in a file of this rank: one line an event, one write a line, so that lines of several threads and
// ranks do not interleave. As text "2026-11-22T12:00:00.123 host[rank] level text", or as JSON. What is no character of a line in
// a text (a line end in a file's name) is escaped. Of a flood of warnings from one place in the program only some are said (Fold).
// Any thread may log. spdlog stays behind this header.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::log {

enum class Level { debug, info, warning, error, off };
enum class Format { text, json };

struct Setup {
  std::string host;
  int rank = 0;
  int ranks = 1;
  Level level = Level::info;
  Format format = Format::text;
  std::string file;  ///< as file_of() reads it; empty: stderr
};

/// Set who speaks, from which level on, how and whereto. Before threads log. The file is appended to. Fails with the error of
/// opening it; then nothing has changed.
[[nodiscard]] Status set_up(const Setup& setup);
/// The same as text on stderr.
void set_up(std::string_view host, int rank, Level level);
[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view text);
/// A warning that equal ones are folded with; what is folded is said by pass() and close().
void write_warning(std::string_view kind, std::string_view text);
/// To be called now and then while a run goes on: say what was folded in the last ten seconds.
void pass(TimePoint now);
/// Say what was folded and not said yet.
void close();
/// Return the version of spdlog that this was built with.
[[nodiscard]] std::string library_version();

/// Return the name of a rank's file: in `name` %r is the rank, %h the host, %% a %; any other % stands for itself. Where there are several ranks and
/// no %r, a dot and the rank follow.
[[nodiscard]] std::string file_of(std::string_view name, std::string_view host, int rank, int ranks);

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
  const auto pattern = fmt::string_view(format);
  if (enabled(Level::warning))
    write_warning({pattern.data(), pattern.size()}, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::error)) write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace lhsm::log
