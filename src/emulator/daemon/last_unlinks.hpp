// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <unordered_map>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

/// Files that have lost their last name and live on in descriptors: the kernel tells when the last of
/// these is closed.
class LastUnlinks {
 public:
  struct File {
    Fid fid;
    std::uint32_t archive_id = 0;
  };

  LastUnlinks();

  /// Watch the inode behind a descriptor, until that and all others are closed.
  Status watch(int fd, const File& file);
  /// Return the files that have gone since the last call.
  [[nodiscard]] std::vector<File> take_gone();
  [[nodiscard]] int event_fd() const { return *m_events; }

 private:
  Fd m_events;
  std::unordered_map<int, File> m_files;  // by inotify's watch
};

}  // namespace lhsm::emulator
