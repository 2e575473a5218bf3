// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/replacement_file.hpp"

namespace lhsm::scan {

/// The list of what a scan could not look at, as a list that can be read again. It has its name when it is complete, and
/// leaves nothing behind when finish() was not reached. One thread. Until open() nothing is kept.
class FailedNames {
 public:
  /// `separator` ends each name: a NUL, or a line end, and then names that hold one are left out, and counted in the log.
  explicit FailedNames(char separator) : m_separator(separator) {}
  FailedNames(const FailedNames&) = delete;
  FailedNames& operator=(const FailedNames&) = delete;

  [[nodiscard]] Status open(const std::string& path);
  /// Take names, each followed by a NUL. An error is told by finish().
  void add(std::string_view names);
  /// Sync and name the file.
  [[nodiscard]] Status finish();

 private:
  [[nodiscard]] Status write_out();

  char m_separator;
  std::optional<ReplacementFile> m_file;
  std::string m_text;
  std::uint64_t m_left_out = 0;
  Status m_status;
};

}  // namespace lhsm::scan
