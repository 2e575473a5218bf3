// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/cli/serve.hpp"
#include "lhsmtool_mpi/report/event_fifo.hpp"
#include "lhsmtool_mpi/report/state_files.hpp"
#include "lhsmtool_mpi/report/watched_client.hpp"

namespace lhsm::cli {

/// How long to wait for a pid file whose process is ending: one that has unregistered.
struct PidFileWait {
  std::chrono::seconds longest{0};  ///< 0: fail at once, whatever that process does
  std::function<bool()> is_over;    ///< wait no longer
};

/// Error::operation when the lock cannot be had; kind `busy`, EAGAIN: another process has it, and is not about to end.
inline constexpr std::string_view k_lock_pid_file = "lock pid file";

/// Lock `path` for the life of the descriptor and write our process id into it. The file is never
/// removed. Kind `busy`, EAGAIN: another process has the lock; kind `timeout`: it is ending, but did not in time.
[[nodiscard]] Outcome<Fd> lock_pid_file(const std::string& path, const PidFileWait& wait);

/// Return which files of state a run keeps.
[[nodiscard]] report::StateFiles::Options state_files_of(const ServeOptions& options);

/// What rank 0 keeps beside a run for others to see: the pid file and the event fifo.
class RunFiles {
 public:
  RunFiles() = default;
  ~RunFiles() { close(); }
  RunFiles(const RunFiles&) = delete;
  RunFiles& operator=(const RunFiles&) = delete;

  /// May wait for a predecessor, until `stop` is requested.
  [[nodiscard]] Status open(const ServeOptions& options, const run::StopRequest& stop);
  /// Close and unlink the fifo; also before an exit that runs no destructors.
  void close();

  void write(const comm::Event& event);
  /// An end of the registration also lets a successor know that this process is ending.
  void write(const report::WatchedRegistration::Change& change, lustre::Client& client);

 private:
  Fd m_pid_file;
  std::unique_ptr<report::EventFifo> m_fifo;
};

}  // namespace lhsm::cli
