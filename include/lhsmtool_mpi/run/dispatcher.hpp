// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rank 0's loop: greets the workers, registers as copytool, feeds the scheduler with what arrives and
// carries out what it decides, until it is told to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/comm/channel.hpp"
#include "lhsmtool_mpi/comm/roll_call.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/plan/bandwidth.hpp"
#include "lhsmtool_mpi/plan/scheduler.hpp"
#include "lhsmtool_mpi/run/arrival_times.hpp"
#include "lhsmtool_mpi/run/errands.hpp"
#include "lhsmtool_mpi/run/idle_watch.hpp"
#include "lhsmtool_mpi/run/keep_alive.hpp"
#include "lhsmtool_mpi/run/receiver.hpp"
#include "lhsmtool_mpi/run/run_detail.hpp"
#include "lhsmtool_mpi/run/run_state.hpp"
#include "lhsmtool_mpi/run/stall_watch.hpp"
#include "lhsmtool_mpi/run/striped_copies.hpp"

namespace lhsm::run {

struct DispatcherOptions {
  std::vector<std::uint32_t> archive_ids;  ///< empty: all
  plan::SchedulerOptions scheduler;
  int refuse_errno = 0;  ///< with which every item is refused; 0: none is
  std::chrono::milliseconds update_interval{30'000};
  std::chrono::milliseconds drain_timeout{60'000};
  std::chrono::milliseconds greeting_timeout{60'000};
  std::chrono::milliseconds keep_alive{600'000};  ///< actions that wait longer are reported as alive
  RegistrationOptions registration;
  /// Bytes per second that all ranks may read together, 0 = no limit; null = none ever. Outlives the
  /// dispatcher; after a change wake its channel.
  const std::atomic<std::uint64_t>* bandwidth = nullptr;
  /// Whether an action is of the bulk, which goes behind all others. Empty: none is. Called in the dispatcher's thread.
  std::function<bool(const ActionItem&)> is_bulk;
  /// Who remembers what is done of large archives; null: nobody. Outlives the dispatcher.
  UnfinishedCopies* unfinished = nullptr;
  /// What ranks do besides actions; null: nothing. Outlives the dispatcher. What is on its way when a run is stopped is waited for.
  Errands* errands = nullptr;
  /// Actions that the coordinator gave to a copytool which is no more: carried out as if they came now.
  std::vector<ActionItem> adopted;
  /// Called with the reason when a stop cannot be brought to an end, as a rank or an MDT does not answer.
  /// It should end the process: what would follow waits for threads that may never return.
  std::function<void(const std::string& why)> on_stuck;
};

/// Requests to stop, set from another thread; wake the dispatcher's channel afterwards.
struct StopRequest {
  std::atomic<int> count = 0;  ///< 1: drain; 2: stop running copies, too; 3: wait for nobody
};

class Dispatcher final : public DetailSource {
 public:
  /// `workers` are the numbers to wait for. All references outlive the dispatcher.
  Dispatcher(comm::Channel& channel, std::vector<WorkerId> workers, comm::Likeness likeness, DispatcherOptions options,
             const Clock& clock, Observer& observer);

  /// Wait for the hello of every worker; return whether all came before a stop was requested. Throws Fatal when one cannot
  /// work, is of another build than this rank or has other options, or stays silent.
  [[nodiscard]] bool greet(const StopRequest& stop);

  /// Register and serve until `stop` is requested and everything is ended. Throws Fatal when the
  /// first registration is refused for good. When what was told to stop, running copies and the registration, has
  /// not ended within a grace time, or `stop` says to wait no longer, on_stuck is called, and Fatal thrown if it
  /// returns.
  void serve(lustre::Client& client, const StopRequest& stop);

  /// Tell the workers to stop and wait for their good-byes. False: not all came.
  bool dismiss();

  [[nodiscard]] const RunState& state() const { return m_state; }
  /// Costs something for each rank, and nothing for actions that wait.
  [[nodiscard]] RunDetail detail(TimePoint now) const override;
  /// The hosts of the ranks that were greeted.
  [[nodiscard]] const std::set<std::string>& hosts() const { return m_hosts; }

 private:
  void receive(Duration timeout);
  void take_in(lustre::Client& client, std::vector<Arrival> arrivals);
  void take_in_adopted(lustre::Client& client);
  void keep_alive(KeepAlive& keeper, TimePoint now);
  void beat(TimePoint now);
  void carry_out(const plan::Command& command);
  void begin_drain();
  [[noreturn]] void give_up();

  void handle(WorkerId from, const comm::Results& message);
  void handle(WorkerId from, const comm::Begun& message);
  void handle(WorkerId from, const comm::ExtentDone& message);
  void handle(WorkerId from, const comm::Trouble& message);
  void handle(WorkerId from, const comm::Returned& message);
  void handle(WorkerId from, const comm::Tick& message);
  void handle(WorkerId from, const comm::BandwidthWanted& message);
  void handle(WorkerId from, const comm::FilesAsked& message);
  template <class Other>
  void handle(WorkerId from, const Other& message);
  void finish(WorkerId from, const comm::Result& result);
  void forget(JobId job);
  void count_undone(const ActionItem& item, const ActionOutcome& outcome);
  void share_bandwidth(TimePoint now);
  void look_for_stalls(TimePoint now);
  void open_errands();
  void send_errands();
  void close_errands();
  [[nodiscard]] bool is_idle() const;
  void publish(TimePoint now);
  void count_bulk_bytes();
  [[nodiscard]] comm::Finish finish_of(JobId job, const std::optional<Error>& error);

  comm::Channel& m_channel;
  std::vector<WorkerId> m_workers;
  std::set<std::string> m_hosts;
  comm::Likeness m_likeness;
  DispatcherOptions m_options;
  const Clock& m_clock;
  Observer& m_observer;
  plan::Scheduler m_scheduler;
  RunState m_state;
  TimePoint m_next_beat;
  TimePoint m_next_keep_alive;
  TimePoint m_stalls_looked_for;
  Receiver* m_receiver = nullptr;  // while serve() has one
  std::vector<comm::Tick> m_ticks;  // the last of each worker
  std::vector<RankState> m_ranks;   // without what ticks say
  ArrivalTimes m_arrivals;
  IdleWatch m_idle_watch;
  StallWatch m_stall_watch;
  plan::BandwidthShare m_bandwidth;
  StripedCopies m_copies;
};

}  // namespace lhsm::run
