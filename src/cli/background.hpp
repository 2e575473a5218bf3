// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::cli {

/// A process that goes on in the background while the one that was started returns to the shell. That one
/// waits until started(), returns 0 then, or the exit code of the other if it ends first; after half a
/// minute it waits no longer and returns 0.
class Background {
 public:
  /// Fork; only the new process returns from this call. It is a session of its own and keeps directory,
  /// stdin, stdout and stderr (daemon(1, 1)). There must be no other thread yet, and no MPI.
  [[nodiscard]] static Outcome<Background> enter();
  /// Let the waiting process return 0.
  void started();

 private:
  explicit Background(Fd to_parent) : m_to_parent(std::move(to_parent)) {}
  Fd m_to_parent;
};

}  // namespace lhsm::cli
