// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/bulk/job_run.hpp"
#include "lhsmtool_mpi/cli/serve.hpp"
#include "lhsmtool_mpi/report/state_files.hpp"

namespace lhsm::cli {

/// The files of state (--status, --metrics) of a job that has no copytool. One thread.
class JobStateFiles {
 public:
  /// `run` outlives it.
  JobStateFiles(const ServeOptions& options, const std::string& command, bulk::JobRun& run, std::uint64_t ranks);
  /// To be called often; writes once a second.
  void update();
  /// Write for the last time. Before the run is closed.
  void close();

 private:
  class Nobody final : public run::Observer {
    void update(const run::RunState&, TimePoint) override {}
    void failed(const ActionItem&, const Error&) override {}
  };
  [[nodiscard]] run::RunState state() const;

  bulk::JobRun& m_run;
  std::uint64_t m_ranks;
  RealClock m_clock;
  Nobody m_nobody;
  report::StateFiles m_files;
};

}  // namespace lhsm::cli
