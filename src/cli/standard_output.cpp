// SPDX-License-Identifier: LGPL-2.1-or-later
#include "standard_output.hpp"

#include <cerrno>
#include <cstdio>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::cli {

namespace {

void require_written(bool is_written) {
  if (!is_written) throw Fatal(errno_error("write", "standard output", errno != 0 ? errno : EIO).value());
}

}  // namespace

void flush_answer() {
  errno = 0;  // an earlier failure has left nothing but the mark
  const bool is_flushed = std::fflush(stdout) == 0;
  require_written(is_flushed && std::ferror(stdout) == 0);
}

void print_answer(std::string_view text) {
  errno = 0;
  require_written(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
  flush_answer();
}

}  // namespace lhsm::cli
