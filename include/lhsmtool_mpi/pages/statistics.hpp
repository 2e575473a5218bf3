// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a report says of a job: sums, distributions, courses of time. Its size does not depend on the number of items.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/bulk/job_manifest.hpp"
#include "lhsmtool_mpi/pages/distribution.hpp"
#include "lhsmtool_mpi/pages/timeline.hpp"
#include "lhsmtool_mpi/store/job_files.hpp"

namespace lhsm::pages {

/// Items that ended in one way without success.
struct ErrorGroup {
  static constexpr std::size_t k_most_examples = 3;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;            ///< their sizes
  std::vector<std::string> examples;  ///< paths below the mount point, or FIDs where there is none
};

struct SlowItem {
  double seconds = 0;  ///< of its last attempt
  std::uint64_t size = 0;
  std::int32_t rank = -1;
  std::uint32_t attempts = 0;
  store::ItemResult result = store::ItemResult::pending;
  std::string path;  ///< as in ErrorGroup
};

/// What one rank, or some that follow each other, did.
struct RankActivity {
  std::int32_t first = 0;  ///< rank
  std::int32_t last = 0;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  std::vector<double> busy;  ///< for each bin of the timeline, seconds of all actions
};

struct Statistics {
  static constexpr std::size_t k_most_slow = 20;
  static constexpr std::size_t k_most_rank_rows = 32;

  bulk::Census census;
  std::uint64_t bytes_copied = 0;
  std::uint64_t attempts = 0;
  std::uint64_t retried = 0;                                                ///< items that took more than one attempt
  std::map<std::pair<store::ItemResult, std::int32_t>, ErrorGroup> errors;  ///< by result and errno
  SizeDistribution sizes;
  Latencies copying;  ///< of what is done: the last attempt
  Latencies waiting;  ///< from the first request until it was done
  std::vector<store::RunRecord> runs;
  Timeline timeline;
  std::vector<RankActivity> ranks;
  std::vector<SlowItem> slowest;  ///< the slowest first

  /// The action that the items have; none when they are a scan's.
  [[nodiscard]] store::ItemAction action() const { return bulk::action_of(census); }
};

/// Go through all items twice, in slices. `running_until_ns`: now, when somebody works on the job; 0: nobody does.
[[nodiscard]] Outcome<Statistics> gather(store::SeenJob& job, std::int64_t running_until_ns);

}  // namespace lhsm::pages
