// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::pages {

/// Where a report goes: a file, which gets its name when it is whole and synced, or the standard output. One thread.
class Output {
 public:
  /// `path` "-", or none: the standard output.
  [[nodiscard]] static Outcome<Output> open(const std::string& path);
  ~Output();  ///< what was not finished leaves nothing behind
  Output(Output&& other) noexcept;
  Output& operator=(Output&&) = delete;

  [[nodiscard]] Status write(std::string_view text);
  /// Write out what is buffered and let the file have its name.
  [[nodiscard]] Status finish();

 private:
  Output(Fd fd, std::string path, std::string temporary)
      : m_fd(std::move(fd)), m_path(std::move(path)), m_temporary(std::move(temporary)) {}
  [[nodiscard]] Status flush();

  Fd m_fd;
  std::string m_path;
  std::string m_temporary;  ///< empty: the standard output, or finished
  std::string m_buffer;
};

}  // namespace lhsm::pages
