// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lhsmtool_mpi/archive/posix_backend.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/plan/scheduler.hpp"
#include "lhsmtool_mpi/run/dispatcher.hpp"
#include "lhsmtool_mpi/run/worker.hpp"
#include "lhsmtool_mpi/run/environment.hpp"

namespace lhsm::cli {

struct Controls;

/// What a run is for, besides serving whoever asks. On rank 0, but for ask_handler(); each is called once, but control().
class Purpose {
 public:
  virtual ~Purpose() = default;
  /// On each rank: what its worker asks for files with; it ends before `client`. Empty: none ever asks.
  virtual run::AskHandler ask_handler(lustre::Client& /*client*/) { return {}; }
  /// Before the ranks are greeted; `stop` tells when it should come to its end. May throw Fatal.
  virtual void prepare(lustre::Client& client, run::DispatcherOptions& options, const run::StopRequest& stop) = 0;
  /// Return an observer of the run that passes on to `inner`; both live until close() has returned. Null: none.
  virtual std::unique_ptr<run::Observer> observe(run::Observer& inner) = 0;
  enum class End {
    in_order,  ///< as at a first signal: what runs may come to its end
    at_once,   ///< as at a second one: what runs is stopped
  };
  /// All ranks are there, and serving begins. `end` ends it; any thread may call it, more than once, until close() is called.
  virtual void begin(const run::Dispatcher& dispatcher, std::function<void(End)> end) = 0;
  /// The control file says something, for the first time or anew. By any thread, from before prepare() until serve() returns.
  virtual void control(const Controls& /*controls*/) {}
  /// Serving is over, for whatever reason; also without begin(). `stop_signal` 0: none was heard. Return the
  /// exit code. May throw Fatal.
  virtual int close(const run::RunState& state, int stop_signal) = 0;
};

/// All that `lhsmtool_mpi serve` can be told.
struct ServeOptions {
  std::string mount_point;
  archive::PosixOptions archive;
  std::vector<std::uint32_t> archive_ids;
  run::CopyOptions copy;
  plan::SchedulerOptions scheduler;
  std::uint64_t bandwidth_bytes_per_second = 0;  ///< of the whole run, all ranks together; 0 = no limit
  std::string control_file;                      ///< what may change while it runs (control_file.hpp); may be empty
  std::uint32_t slots = 4;
  std::chrono::seconds drain_timeout{60};
  std::chrono::seconds progress{10};
  std::chrono::seconds renew_interval{60};
  std::chrono::seconds keep_alive{600};
  log::Setup log;  ///< host and ranks are the process' to say
  std::string agreed;  ///< options that all ranks must have come to (comm::Likeness); may be empty
  std::string status_file;   ///< says how the run stands (report::StateFiles); empty: none
  std::string metrics_file;  ///< likewise, for Prometheus
  std::string command = "serve";  ///< what the run is called there

  Purpose* purpose = nullptr;   ///< null: none. Outlives the run
  bool writes_archive = false;  ///< an archive that is mounted read-only is of no use then
  bool dry_run = false;         ///< take actions, say what they are, and refuse them (EAGAIN)
  bool abort_on_error = false;  ///< stop at the first file that fails
  bool last_signal_is_second = false;  ///< the second signal waits for nobody, not the third
  std::string pid_file;         ///< locked, and holds the process id of rank 0; empty: none
  std::chrono::seconds pid_file_patience{0};  ///< how long to wait for its process where that is ending; 0: not at all
  std::string event_fifo;       ///< gets events as lines of JSON; empty: none
  log::Level item_level = log::Level::debug;  ///< of the lines that each item and each copy has
  /// Called on rank 0 when it has registered, or with the reason why it could not start; by any thread, one at
  /// a time. May be empty.
  std::function<void(const Status&)> on_started;
};

class Process;

/// Be a copytool until a signal says stop; on all ranks of the job. Return the exit code. Throws Fatal.
int serve(const ServeOptions& options);
/// The same as one thing of several that a process does.
int serve(const ServeOptions& options, Process& process);

}  // namespace lhsm::cli
