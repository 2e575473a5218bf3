// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A job whose actions the ranks carry out themselves, without the coordinator and so without a copytool (is_done_by_ranks()): rank
// 0 hands files out, and some threads of each rank do to each what the job is about. The greeting and the end are those of a
// copytool run; between them there are FilesToDo and FilesDone.
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
class RankJobDispatcher {
 public:
  /// `channel` outlives it. `likeness` is what all ranks must have.
  RankJobDispatcher(comm::Channel& channel, int ranks, comm::Likeness likeness);

  /// Wait until all ranks have said who they are, and return true; false when `stop` became true. Throws Fatal when one cannot
  /// work, is of another build or has other options, or is silent.
  [[nodiscard]] bool greet(const std::atomic<bool>& stop, const std::string& file_system = {});
  /// Let the ranks do what the job wants, until it is over: finished or stopped. `source` is the file system that the job's FIDs are
  /// of. `tick` is called many times a second.
  void run(Job& job, const std::string& source, const std::function<void()>& tick);
  /// Send all ranks home; they finish what they have begun, and their results are the job's, if there is one. Return whether all
  /// have gone within half a minute. To be called after greet(), however that ended.
  [[nodiscard]] bool dismiss(Job* job);

  /// The hosts of the ranks that were greeted.
  [[nodiscard]] const std::set<std::string>& hosts() const { return m_hosts; }

 private:
  void hand_out(Job& job, const std::string& source);
  void take(Job& job, WorkerId from, const comm::FilesDone& message);

  comm::Channel& m_channel;
  comm::Likeness m_likeness;
  std::set<std::string> m_hosts;
  std::vector<std::map<Fid, Row>> m_ranks;  // what each has in hand
};

/// What is done to one file. `source` as for RankJobDispatcher::run(). Called by several threads at once.
using FileFunction = std::function<comm::FileDone(const comm::FileToDo& file, const std::string& source)>;

/// Be a rank of such a job, until the dispatcher says stop. `file_system`: where it works; `threads`: files at once.
void run_rank_job_worker(comm::Channel& channel, const comm::Likeness& likeness, const std::string& host,
                         const std::string& file_system, unsigned threads, FileFunction function);

/// Release a file, as far as its state allows it. Any thread.
[[nodiscard]] comm::FileDone release_file(lustre::Client& client, const Fid& fid);

}  // namespace lhsm::bulk
