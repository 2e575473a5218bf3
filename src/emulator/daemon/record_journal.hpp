// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/request_log.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::emulator {

/// The records of one MDT on disk, DIR/.lustre/hsm_actions.<mdt>, so that a daemon that was killed, or
/// stopped, goes on with them: images of records, one after the other, of which the last of an id
/// counts. Written before the reply that tells of the change, not synced: it survives the daemon, not
/// the machine. What a kill cut off at the end is left out.
class RecordJournal {
 public:
  /// Open the journal and read what it holds, in the order of ids. The coordinators' clock does not
  /// run while the daemon does not: times are moved so that the latest of them is `now`.
  static Outcome<RecordJournal> open(int mount_fd, std::uint32_t mdt, TimePoint now, std::vector<Record>& records);

  /// Add a record; it is on its way when flush() was called.
  void add(const Record& record);
  /// Write what was added. A journal that has become much longer than the log is written anew.
  Status flush(const RequestLog& log);

 private:
  Status rewrite(const RequestLog& log);

  int m_mount_fd = -1;
  std::string m_name;
  Fd m_file;
  std::string m_unwritten;
  std::size_t m_images = 0;  // in the file
  bool m_is_torn = false;    // a write failed: only a new file is whole
};

}  // namespace lhsm::emulator
