// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/store/disk.hpp"
#include "lhsmtool_mpi/store/journal_record.hpp"
#include "lhsmtool_mpi/store/on_the_way.hpp"

namespace lhsm::store {

/// The journal of a manifest's generation, open for appending. A record counts once it is durable; one sync covers all
/// that was appended before it began. open_job() (job_files.hpp) makes it.
///
/// Memory: what is on the way (OnTheWay), and what is not written yet.
///
/// All but the making, rotate() and close() may be called from any thread. After a failed write or sync nothing is
/// confirmed any more, and every call answers with that first error: the run must end.
class Journal {
 public:
  /// Called from the journal's thread whenever more is durable, and once when the journal has failed; it must not call
  /// the journal back, nor throw. An event loop has itself woken here and looks at durable().
  using Notify = std::function<void()>;

  /// How far the journal is on disk.
  struct Durable {
    std::uint64_t up_to = 0;  ///< all records with sequences up to this one
    Status status;            ///< the journal's failure
  };

  /// Go on at `size` of the open file `fd`, whose base is `base` and which leaves `on_the_way`. `disk` must outlive the journal.
  Journal(Fd fd, std::string path, const JournalBase& base, OnTheWay on_the_way, std::uint64_t size, Notify notify, Disk& disk);
  ~Journal();  ///< writes and syncs what was appended; an error is lost: close() tells it
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Return the record's sequence: 1, 2, 3 … in the order of the file. Does not block on the disk; the caller bounds
  /// what it appends ahead (pending_bytes()). `invalid` for a record longer than k_longest_record
  /// (EMSGSIZE) and for a row that the manifest does not have (EINVAL).
  [[nodiscard]] Outcome<std::uint64_t> append(const JournalRecord& record);
  [[nodiscard]] Durable durable() const;
  /// Wait until the record of that sequence is durable, or the journal has failed before it was.
  [[nodiscard]] Status wait_durable(std::uint64_t sequence);
  /// Return how much is appended and not durable yet.
  [[nodiscard]] std::uint64_t pending_bytes() const;
  /// Return how long the file will be when all that is appended is written.
  [[nodiscard]] std::uint64_t file_bytes() const;
  /// Wait until the file is so long. False: the journal has failed or ends, or `stop` was set, and wake() called.
  [[nodiscard]] bool wait_for_size(std::uint64_t bytes, const std::atomic<bool>& stop);
  void wake();
  /// Go on in a new file for the next generation of the manifest, which gets the journal's name and begins with what is on the way;
  /// the file so far gets the name `rotated`, which must be free or nobody's, and is complete. Returns when both are durable; append()
  /// does not wait for it. After an error the file so far is gone on with, whatever its name, and this may be tried again, unless
  /// durable() has the error, too. For one thread; not beside close().
  [[nodiscard]] Status rotate(const std::string& rotated);
  /// Make all durable and end. Nothing may be appended after it.
  [[nodiscard]] Status close();

 private:
  class Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace lhsm::store
