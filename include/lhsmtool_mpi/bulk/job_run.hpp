// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lhsmtool_mpi/bulk/asker.hpp"
#include "lhsmtool_mpi/bulk/job_manifest.hpp"
#include "lhsmtool_mpi/bulk/order.hpp"
#include "lhsmtool_mpi/run/errands.hpp"
#include "lhsmtool_mpi/store/journal_folder.hpp"

namespace lhsm::bulk {

struct JobRunOptions {
  std::string manifest;
  store::ItemAction action = store::ItemAction::none;  ///< none: what the manifest says
  bool takes_up_failed = false;  ///< what failed, was refused or cancelled is done anew
  JobOptions job;      ///< its action is set from the above
  AskerOptions asker;  ///< likewise
  bool serves = true;     ///< this run carries actions out itself
  bool ranks_ask = false;  ///< those of the dispatcher that is given errands(), which have ask_for_files(); else this process asks
  OrderOptions order;  ///< once its is_stopped has said so, the job is opened as one that was stopped
  std::chrono::milliseconds lock_heartbeat{10'000};  ///< how soon it is seen that somebody has taken the lock file away
  store::JournalFolder::Options fold;  ///< while it runs
  /// With a deadline, and work left, the journal of a manifest of more items is left to the next run at the end: some seconds' worth.
  std::uint64_t fold_before_deadline = 1'000'000;
  /// Called when somebody else has the lock file, after the job was given up: what runs for it is to end at once, as the files and
  /// objects may be another run's. By any thread, more than once. May be empty.
  std::function<void()> lock_lost;
  std::string failed_list;  ///< written at the end (write_failed()), and tried at the beginning; may be empty
  std::string user;
  std::string command_line;
};

/// What a run of a job came to.
struct JobReport {
  JobProgress progress;
  Census census;  ///< of the whole job
};

/// One run of a bulk job, on rank 0: the manifest under its lock, the journal, the job, its askers. Not for several
/// threads, but for job().
class JobRun {
 public:
  /// Take the lock, make the manifest one of this action, replay the journal, take up what an earlier run left at the
  /// coordinator. `on_end` as for Job. `invalid`: a manifest of another file system, unless it is to be imported, or of another job, or a failed list that
  /// would replace a manifest.
  [[nodiscard]] static Outcome<std::unique_ptr<JobRun>> open(JobRunOptions options, lustre::Client& client,
                                                             const Clock& clock, std::function<void()> on_end);
  ~JobRun();
  JobRun(const JobRun&) = delete;
  JobRun& operator=(const JobRun&) = delete;

  [[nodiscard]] Job& job();
  [[nodiscard]] store::ItemAction action() const;
  /// The file system that the items are of, as the manifest names it.
  [[nodiscard]] const std::string& file_system() const;
  /// How the items stood when it was opened.
  [[nodiscard]] const Census& census() const;
  /// Actions of a dead run that are to be carried out by this one: for DispatcherOptions::adopted.
  [[nodiscard]] std::vector<ActionItem> take_adopted();

  /// For DispatcherOptions::errands, where ranks ask.
  [[nodiscard]] run::Errands& errands();

  /// Begin to ask; one that the ranks carry out themselves has to be given to a RankJobDispatcher then. `hosts` and `ranks` are for the record.
  void start(const std::string& hosts, std::uint32_t ranks);
  /// Stop asking; make the journal durable; write the list of what failed; make the manifest's next generation, which may fail or
  /// be put off. `exit_code` is asked for the record. After an error the results are in the journal, as far as they are durable.
  [[nodiscard]] Outcome<JobReport> close(const std::function<int(const JobReport&)>& exit_code);

 private:
  struct State;
  explicit JobRun(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

}  // namespace lhsm::bulk
