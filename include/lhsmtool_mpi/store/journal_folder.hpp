// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "lhsmtool_mpi/store/disk.hpp"
#include "lhsmtool_mpi/store/job_lock.hpp"
#include "lhsmtool_mpi/store/journal.hpp"

namespace lhsm::store {

/// Folds the journal of a job while the job runs, in a thread of its own, each time that it has become long: rotates it, and folds what
/// was rotated. Nobody waits for that. A fold that fails, for want of space for instance, is said once in the log and tried again when
/// there is twice as much to fold; the journals keep all until then.
class JournalFolder {
 public:
  struct Options {
    std::uint64_t at_bytes = std::uint64_t{256} << 20U;  ///< of journal, without what it began with
    double at_part = 0.5;  ///< and so much of the manifest's size, so that a large manifest is not written again and again
  };

  /// `has_rotated`: there is a rotated journal, which is folded at once. All outlive it; the journal is not closed before.
  JournalFolder(const JobLock& lock, Journal& journal, bool has_rotated, Options options, Disk& disk = Disk::real());
  ~JournalFolder();  ///< a fold that is under way is given up: the next one makes up for it
  JournalFolder(const JournalFolder&) = delete;
  JournalFolder& operator=(const JournalFolder&) = delete;

  /// Return how many folds there were.
  [[nodiscard]] std::uint64_t folds() const { return m_folds; }

 private:
  void run();
  [[nodiscard]] Status try_to_fold();
  [[nodiscard]] Status rotate_and_fold();
  [[nodiscard]] std::uint64_t limit() const;

  const JobLock& m_lock;
  Journal& m_journal;
  const Options m_options;
  Disk& m_disk;
  // The thread's own.
  bool m_has_rotated;
  std::uint64_t m_began_with = 0;  // bytes of the journal, about: what was on the way
  std::atomic<std::uint64_t> m_folds = 0;
  std::atomic<bool> m_stop = false;
  std::thread m_thread;
};

}  // namespace lhsm::store
