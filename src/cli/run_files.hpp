// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/cli/serve.hpp"
#include "lhsmtool_mpi/report/event_fifo.hpp"
#include "lhsmtool_mpi/report/state_files.hpp"
#include "lhsmtool_mpi/report/watched_client.hpp"

namespace lhsm::cli {

/// Lock `path` for the life of the descriptor and write our process id into it. The file is never
/// removed. EAGAIN or EACCES: another process has the lock.
[[nodiscard]] Outcome<Fd> lock_pid_file(const std::string& path);

/// Return which files of state a run keeps.
[[nodiscard]] report::StateFiles::Options state_files_of(const ServeOptions& options);

/// What rank 0 keeps beside a run for others to see: the pid file and the event fifo.
class RunFiles {
 public:
  RunFiles() = default;
  ~RunFiles() { close(); }
  RunFiles(const RunFiles&) = delete;
  RunFiles& operator=(const RunFiles&) = delete;

  [[nodiscard]] Status open(const ServeOptions& options);
  /// Close and unlink the fifo; also before an exit that runs no destructors.
  void close();

  void write(const comm::Event& event);
  void write(const report::WatchedRegistration::Change& change, lustre::Client& client);

 private:
  Fd m_pid_file;
  std::unique_ptr<report::EventFifo> m_fifo;
};

}  // namespace lhsm::cli
