// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/replacement_file.hpp"

namespace lhsm::pages {

/// Where a report goes: a file, which gets its name when it is whole and synced and leaves nothing when not, or the standard output.
/// One thread.
class Output {
 public:
  /// `path` "-", or none: the standard output.
  [[nodiscard]] static Outcome<Output> open(const std::string& path);

  [[nodiscard]] Status write(std::string_view text);
  /// Write out what is buffered and let the file have its name.
  [[nodiscard]] Status finish();

 private:
  explicit Output(Fd standard_output) : m_standard_output(std::move(standard_output)) {}
  explicit Output(ReplacementFile file) : m_file(std::move(file)) {}
  [[nodiscard]] Status flush();

  Fd m_standard_output;
  std::optional<ReplacementFile> m_file;  ///< nothing: the standard output
  std::string m_buffer;
};

}  // namespace lhsm::pages
