// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lists of files as users have them, by line or NUL-separated: paths, FIDs with or without brackets, and what
// `lctl get_param mdt.*.hsm.actions` and `...active_requests` print. Pure code.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::scan {

/// Cuts what is read of a list into its lines.
class LineSplitter {
 public:
  /// No path is longer, nor a line of the coordinator's. What comes beyond is thrown away, so that a list that is none
  /// at all (a picture, /dev/zero) needs no memory; enough is kept for parse_line() to refuse it.
  static constexpr std::size_t k_longest = 65536;

  explicit LineSplitter(char separator) : m_separator(separator) {}

  /// Take more bytes. Call `use(line)` with each line that is complete now, without its separator.
  template <class Use>
  void add(std::string_view bytes, Use use) {
    while (!bytes.empty()) {
      const auto end = bytes.find(m_separator);
      if (end == std::string_view::npos) {
        keep(bytes);
        return;
      }
      if (m_begun.empty()) {
        use(bytes.substr(0, std::min(end, k_longest + 1)));
      } else {
        keep(bytes.substr(0, end));
        use(std::string_view(m_begun));
        m_begun.clear();
      }
      bytes.remove_prefix(end + 1);
    }
  }
  /// Call `use(line)` with what follows the last separator, if there is anything.
  template <class Use>
  void finish(Use use) {
    if (!m_begun.empty()) use(std::string_view(m_begun));
    m_begun.clear();
  }

 private:
  void keep(std::string_view bytes) { m_begun += bytes.substr(0, k_longest + 1 - std::min(k_longest + 1, m_begun.size())); }

  char m_separator;
  std::string m_begun;
};

using ListEntry = std::variant<Fid, std::string>;  // a path, absolute or relative

/// Return what a line names; nothing when it is empty, or a heading of lctl's. A path is taken as it stands, blanks, '#'
/// and a carriage return included. `invalid` with EINVAL or ENAMETOOLONG when it names nothing that can be.
[[nodiscard]] Outcome<std::optional<ListEntry>> parse_line(std::string_view line);

}  // namespace lhsm::scan
