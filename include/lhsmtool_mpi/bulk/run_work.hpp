// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What runs of a job did, as its items tell: also of runs that go on, or that came to no end of their own.
#pragma once

#include <cstdint>
#include <vector>

#include "lhsmtool_mpi/store/job_files.hpp"

namespace lhsm::bulk {

/// Of the items' present results, what one run came to.
struct RunWork {
  std::uint64_t files = 0;       ///< done
  std::uint64_t bytes = 0;       ///< copied for them
  std::int64_t last_end_ns = 0;  ///< when the last item got a result; 0: none did
};

/// Return all runs of a job, in the order in which they began.
[[nodiscard]] std::vector<store::RunRecord> runs_of(const store::SeenJob& job);
/// Return the first of the runs, at the end of `runs`, that made the results which are there now, of `action`; runs.size(): there is
/// none. Those before were a scan's or another action's, after which all was done anew.
[[nodiscard]] std::size_t first_run_of(const std::vector<store::RunRecord>& runs, store::ItemAction action);
/// Return whether the run was begun as one of `action`. A record does not say that, but how it was begun: "lhsmtool_mpi restore …".
[[nodiscard]] bool is_run_of(const store::RunRecord& run, store::ItemAction action);
/// Return the last of `runs`, in their order, that began before; runs.size() when none did.
[[nodiscard]] std::size_t run_at(const std::vector<store::RunRecord>& runs, std::int64_t time_ns);
/// Return the work of each of `runs`, in one pass over a few columns.
[[nodiscard]] Outcome<std::vector<RunWork>> work_of(store::SeenJob& job, const std::vector<store::RunRecord>& runs);

}  // namespace lhsm::bulk
