// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Release is the asking client's own work, so a job that releases has no copytool: rank 0 hands files out, and all ranks
// release. The greeting and the end are those of a copytool run; between them there are ReleaseFiles and FilesReleased.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lhsmtool_mpi/bulk/job.hpp"
#include "lhsmtool_mpi/comm/channel.hpp"
#include "lhsmtool_mpi/comm/roll_call.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::bulk {

/// Files that a rank may have in hand.
inline constexpr std::size_t k_files_of_a_rank = 2 * lustre::k_most_requested;

/// Rank 0. For one thread, that of the channel.
class ReleaseDispatcher {
 public:
  /// `channel` outlives it. `likeness` is what all ranks must have.
  ReleaseDispatcher(comm::Channel& channel, int ranks, comm::Likeness likeness);

  /// Wait until all ranks have said who they are, and return true; false when `stop` became true. Throws Fatal when one cannot
  /// work, is of another build or has other options, or is silent.
  [[nodiscard]] bool greet(const std::atomic<bool>& stop, const std::string& file_system = {});
  /// Let the ranks release what the job wants, until it is over: finished or stopped. `tick` is called many times a second.
  void run(Job& job, const std::function<void()>& tick);
  /// Send all ranks home; they finish what they have begun, and their results are the job's, if there is one. Return whether all
  /// have gone within half a minute. To be called after greet(), however that ended.
  [[nodiscard]] bool dismiss(Job* job);

  /// The hosts of the ranks that were greeted.
  [[nodiscard]] const std::set<std::string>& hosts() const { return m_hosts; }

 private:
  void hand_out(Job& job);
  void take(Job& job, WorkerId from, const comm::FilesReleased& message);

  comm::Channel& m_channel;
  comm::Likeness m_likeness;
  std::set<std::string> m_hosts;
  std::vector<std::map<Fid, Row>> m_ranks;  // what each has in hand
};

/// Be a rank of a job that releases, until the dispatcher says stop. `threads`: files that are released at once.
void run_release_worker(comm::Channel& channel, const comm::Likeness& likeness, const std::string& host, lustre::Client& client,
                        unsigned threads);

}  // namespace lhsm::bulk
