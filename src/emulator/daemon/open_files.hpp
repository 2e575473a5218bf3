// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <vector>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::emulator {

/// A regular file that some process has open.
struct OpenFile {
  pid_t pid = 0;
  int number = -1;  ///< the descriptor's, in that process
  bool is_writable = false;
  struct stat st {};
};

/// Return what a process has open on a file system; nothing of one that is gone or not ours to look at.
[[nodiscard]] std::vector<OpenFile> open_files(pid_t pid, dev_t device);

/// Open the file behind another process's descriptor O_PATH.
[[nodiscard]] Fd reopen(const OpenFile& file);

/// Return a descriptor of the very same open file, of which the process is known by its pidfd. Null
/// where the kernel refuses.
[[nodiscard]] Fd share(int pidfd, const OpenFile& file);

}  // namespace lhsm::emulator
