// SPDX-License-Identifier: LGPL-2.1-or-later
#include "standard_output.hpp"

#include <cerrno>
#include <cstdio>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::cli {

void flush_answer() {
  const bool failed = std::fflush(stdout) != 0;
  if (failed || std::ferror(stdout) != 0) throw Fatal(errno_error("write", "standard output", failed ? errno : EIO).value());
}

void print_answer(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  flush_answer();
}

}  // namespace lhsm::cli
