// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/check/worker.hpp"

namespace lhsm::check {

/// What a rank sees of the file system. Each look needs those before it.
class MountChecks {
 public:
  MountChecks(const WorkerOptions& options, const comm::CheckAsked& asked) : m_options(options), m_asked(asked) {}

  /// Is it Lustre, can it be written, which versions?
  [[nodiscard]] comm::CheckFound look_at_mount();
  /// May this process do what a copytool does, and do the servers let it?
  [[nodiscard]] comm::CheckFound look_at_privileges();
  /// Does the coordinator run, and with which parameters?
  [[nodiscard]] comm::CheckFound look_at_coordinator();

 private:
  void look_at_versions(comm::CheckFound& found) const;
  void look_at_agents(comm::CheckFound& found);

  const WorkerOptions& m_options;
  const comm::CheckAsked& m_asked;
  std::optional<Mount> m_mount;
  Fd m_root;
  bool m_is_administrator = false;
};

}  // namespace lhsm::check
