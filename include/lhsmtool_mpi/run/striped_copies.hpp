// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/comm/message.hpp"
#include "lhsmtool_mpi/copy/digest.hpp"
#include "lhsmtool_mpi/run/unfinished_copies.hpp"

namespace lhsm::run {

/// Rank 0's side of striped files while they are copied, beside what the scheduler decides: the digests of extents are
/// put together, and those of archives are remembered beyond this run, where somebody does. One thread.
class StripedCopies {
 public:
  /// `unfinished` may be null; else it outlives this.
  explicit StripedCopies(UnfinishedCopies* unfinished) : m_unfinished(unfinished) {}

  /// Return the message by which an owner begins the file, on what an earlier run left if there is anything.
  [[nodiscard]] comm::Begin begin(comm::Job job) const;
  /// The owner has begun. Return the extents that need no copying, in ascending order.
  [[nodiscard]] std::vector<Extent> begun(const comm::Begun& message, const ActionItem& item);
  /// An extent of a file that was begun is copied and synced. False: its leaves do not fit it.
  [[nodiscard]] bool extent_done(const comm::ExtentDone& message, const ActionItem& item);
  /// Return the message by which its owner ends the file. One that is put back is left to a later run as far as it is
  /// remembered. Nothing: it has no error, but not all leaves are there.
  [[nodiscard]] std::optional<comm::Finish> finish(JobId job, const std::optional<Error>& error, bool is_put_back);

  /// What all ranks did for a file in this run.
  struct Work {
    std::uint64_t bytes_moved = 0;  ///< without holes
    TimePoint begun;
    std::uint64_t kept_bytes = 0;  ///< of the file, that an earlier run had copied
  };
  /// Return what an earlier run had copied of a file that is being copied.
  [[nodiscard]] std::uint64_t kept_bytes(JobId job) const;
  /// The file has ended. Nothing: it was not striped.
  [[nodiscard]] std::optional<Work> ended(JobId job);

 private:
  struct Copy {
    copy::DigestCollector digests;
    std::optional<CopyVersion> version;  // when somebody may remember what is done
    bool is_remembered = false;          // some of it
  };
  [[nodiscard]] bool add(Copy& copy, const ActionItem& item, CopiedPiece piece);

  UnfinishedCopies* m_unfinished;
  std::map<JobId, Copy> m_copies;
  std::map<JobId, Work> m_work;
};

}  // namespace lhsm::run
