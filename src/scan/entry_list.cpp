// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/entry_list.hpp"

#include <climits>

namespace lhsm::scan {

namespace {

constexpr std::size_t k_shown = 200;  // of a line that is refused

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view k_blanks = " \t\r";
  const auto begin = text.find_first_not_of(k_blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(k_blanks) - begin + 1);
}

/// Take "mdt.<name>.hsm.actions=" away, which lctl puts before the first line unless told not to (-n).
std::string_view without_heading(std::string_view line) {
  if (!line.starts_with("mdt.")) return line;
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return line;
  const auto name = line.substr(0, equals);
  if (name.find('/') != std::string_view::npos) return line;
  return name.ends_with(".hsm.actions") || name.ends_with(".hsm.active_requests") ? line.substr(equals + 1) : line;
}

/// The FID in a line of the coordinator's; nothing when it is no such line.
std::optional<std::string_view> fid_of_action(std::string_view line) {
  if (!line.starts_with("lrh=[") && !line.starts_with("fid=[")) return std::nullopt;
  if (line.find(" compound/cookie=") == std::string_view::npos) return std::nullopt;
  const auto begin = line.starts_with("fid=[") ? 0 : line.find(" fid=[");
  if (begin == std::string_view::npos) return std::nullopt;
  const auto open = line.find('[', begin);
  const auto close = line.find(']', open);
  if (close == std::string_view::npos) return std::nullopt;
  return line.substr(open, close - open + 1);
}

Failure refused(int sys_errno, std::string_view line) {
  return failure(ErrorKind::invalid, sys_errno, "read list entry", line.substr(0, k_shown));
}

}  // namespace

Outcome<std::optional<ListEntry>> parse_line(std::string_view line) {
  if (line.size() > LineSplitter::k_longest) return refused(ENAMETOOLONG, line);
  const std::string_view unheaded = without_heading(line);
  if (unheaded.empty() || unheaded == "\r") return std::optional<ListEntry>{};
  const std::string_view text = trimmed(unheaded);
  if (const auto action = fid_of_action(text)) {
    if (const auto fid = Fid::parse(*action)) return std::optional<ListEntry>(*fid);
    return refused(EINVAL, line);
  }
  if (const auto fid = Fid::parse(text)) return std::optional<ListEntry>(*fid);
  if (line.find('\0') != std::string_view::npos) return refused(EINVAL, line.substr(0, line.find('\0')));
  if (line.size() >= PATH_MAX) return refused(ENAMETOOLONG, line);
  return std::optional<ListEntry>(std::string(line));
}

}  // namespace lhsm::scan
