// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The MPI library from init to finalize. mpi.h is included by src/comm/mpi_*.cpp only. One thread,
// the one that made the session, makes all MPI calls (MPI_THREAD_FUNNELED) but abort(), after which there are no more.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lhsmtool_mpi/comm/channel.hpp"

namespace lhsm::comm {

/// Return whether a launcher (mpirun, srun) started this process as one of several ranks. A plain
/// start needs no MPI at all. Throws Fatal when srun started several tasks without MPI between them.
[[nodiscard]] bool started_by_launcher();

/// Return the MPI library's version line, without initialising it.
[[nodiscard]] std::string mpi_library_version();

/// End all ranks with `exit_code`, where a launcher started this process and MPI was not initialised so far: others may wait in
/// it for this one, which cannot go on, and not every launcher (srun) ends them with it. Returns where there is nothing to
/// end, or MPI is of no use.
void end_waiting_ranks(int exit_code);

class MpiSession {
 public:
  /// Throws Fatal when MPI cannot be initialised.
  MpiSession();
  /// Aborts the job when finalize() was not reached: the other ranks would wait for ever.
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  [[nodiscard]] int rank() const;
  [[nodiscard]] int size() const;

  /// A worker's end (rank > 0).
  [[nodiscard]] std::unique_ptr<Channel> worker_channel();

  /// The dispatcher's end (rank 0). Worker 0 lives in this process and is reached through
  /// `local_worker`, an end for another thread; it is owned by the channel.
  struct DispatcherChannel {
    std::unique_ptr<Channel> channel;
    Channel* local_worker;
  };
  [[nodiscard]] DispatcherChannel dispatcher_channel();

  /// Return rank 0's text on all ranks; every rank must come here, between channels. Waits without burning the processor.
  [[nodiscard]] std::string share(std::string text);

  /// Messages as MPI carries them, between rank 0 and another rank.
  struct Link {
    int rank = 0;
    double latency_us = 0;  ///< one way, of a small message
    double mib_per_s = 0;   ///< of large ones
  };
  /// Return on rank 0 the links to one rank of each other host, or to rank 1 when all are on one; nothing on the others. Every rank must
  /// come here, between channels. Those that are not measured wait without burning the processor. Throws Fatal when a rank does not answer
  /// within a minute, or bytes arrive altered.
  [[nodiscard]] std::vector<Link> measure_links();

  /// End MPI in good order; all channels must be gone. Every rank must come here.
  void finalize();
  /// End the whole job at once with `exit_code`.
  [[noreturn]] void abort(int exit_code);

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace lhsm::comm
