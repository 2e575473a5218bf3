// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/new_file.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace lhsm {

Outcome<Fd> make_new_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error("unlink", path);
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return errno_error("open", path);
  return file;
}

}  // namespace lhsm
