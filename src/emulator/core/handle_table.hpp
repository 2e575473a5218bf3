// SPDX-License-Identifier: LGPL-2.1-or-later
//
// DIR/.lustre/handles: FID to file handle, of the files that were looked at last. It spares a client the
// question by which it would open a file. Only a cache: a slot that is missing, torn, overwritten or
// of another file has no handle, and the client asks the daemon.
//
// Read and written by pread and pwrite, not mapped: a mapping of a full file system is a SIGBUS, and
// a file that is cut to nothing (at every start and stop of the daemon) one as well. Mode 0600, as only
// who may do everything can open by handle.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

/// The daemon's side, the only writer. A table that cannot be written is one without entries.
class HandleTable {
 public:
  /// Empty the table, or make it.
  static Outcome<HandleTable> create(int mount_fd);

  /// Enter a packed handle (core/file_handle); one that is too long is left out.
  void put(const Fid& fid, std::string_view handle);
  /// Take the file's entry out, if it has one.
  void erase(const Fid& fid);
  void clear();

 private:
  Fd m_file;
  std::vector<Fid> m_entered;  // by slot; spares writing what stands there already
};

/// A client's side.
class HandleTableReader {
 public:
  /// Open the table; without the right to it, or without a table, find() finds nothing.
  static HandleTableReader open(int mount_fd);

  /// Return the packed handle of a file, or "".
  [[nodiscard]] std::string find(const Fid& fid) const;

 private:
  Fd m_file;
};

}  // namespace lhsm::emulator
