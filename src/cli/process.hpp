// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/signals.hpp"
#include "lhsmtool_mpi/comm/mpi_session.hpp"

namespace lhsm::cli {

/// This process as one rank of a run: its signals, and MPI where a launcher started several. What is done in it is
/// done by all ranks, one thing after the other. Made before any thread; for the thread that made it. While it lives an exception that
/// no thread catches ends all ranks with its line and k_run_failed. One at a time.
class Process {
 public:
  /// Throws Fatal when MPI cannot be initialised.
  explicit Process(log::Level level);
  /// Likewise, or when its log file cannot be opened, which ends all ranks.
  explicit Process(log::Setup setup);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] SignalThread& signals() { return m_signals; }
  [[nodiscard]] const std::string& host() const { return m_host; }
  [[nodiscard]] int rank() const { return m_session ? m_session->rank() : 0; }
  [[nodiscard]] int ranks() const { return m_session ? m_session->size() : 1; }
  [[nodiscard]] bool is_first() const { return rank() == 0; }

  /// Return rank 0's text on all ranks (MpiSession::share).
  [[nodiscard]] std::string share(const std::string& text) { return m_session ? m_session->share(text) : text; }
  /// The ends of rank 0, and of the others. Gone before the next thing is begun.
  [[nodiscard]] comm::MpiSession::DispatcherChannel dispatcher_channel();
  [[nodiscard]] std::unique_ptr<comm::Channel> worker_channel() { return m_session->worker_channel(); }
  /// As MpiSession::measure_links(); nothing where there is one rank. Throws Fatal.
  [[nodiscard]] std::vector<comm::MpiSession::Link> measure_links();
  /// End all ranks at once.
  [[noreturn]] void abort(int exit_code);
  /// Say why in the run's one line, and end all ranks with k_run_failed. Any thread.
  [[noreturn]] void fail(const std::string& why);

  /// Have rank 0's dispatcher send all ranks home. Where they do not all go they are ended at once, with `failed` as the
  /// reason if there is one.
  void send_home(const std::function<bool()>& dismiss, std::string failed);

  /// Call `main` on all ranks, then end MPI in good order, also when it throws Fatal or UsageError, which goes on. Another
  /// exception ends all ranks. Return what it returned. Once, as the last.
  int run(const std::function<int()>& main);

 private:
  SignalThread m_signals;  // before MPI starts its threads
  std::string m_host;
  std::terminate_handler m_former_terminate = nullptr;
  std::optional<comm::MpiSession> m_session;  // nothing: a plain start
};

}  // namespace lhsm::cli
