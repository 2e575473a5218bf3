// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "lhsmtool_mpi/archive/backend.hpp"
#include "lhsmtool_mpi/copy/fd_bytes.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/run/byte_budget.hpp"
#include "lhsmtool_mpi/run/pulse.hpp"

namespace lhsm::run {

/// How actions are carried out; the same on all ranks.
struct CopyOptions {
  std::size_t buffer_bytes = std::size_t{1} << 20;
  std::uint64_t stripe_threshold = std::uint64_t{1} << 30;
  std::chrono::milliseconds update_interval{30'000};
  copy::Direct direct = copy::Direct::no;
  bool keep_attributes = true;
  bool keep_xattrs = true;
  bool keep_shadow = true;
  /// A REMOVE whose object is not there ends with ENOENT, as with lhsmtool_posix. Otherwise it is done: one that was interrupted may have removed
  /// it, and a file that counts as archived though it has no object can be released, and is lost then.
  bool remove_needs_object = false;
};

/// What the procedures of a rank work with; outlives them. All members may be used by all its threads.
struct Environment {
  lustre::Client& client;
  archive::Backend& backend;
  const CopyOptions& options;
  std::atomic<std::uint64_t>& bytes_moved;  ///< counts up while copies run
  std::atomic<std::uint64_t>& estranged;    ///< counts answers of coordinators that may have forgotten us
  Pulse& pulse;                             ///< where copies wait while work is paused
  ByteBudget& budget;                       ///< what copies may read
  std::atomic<std::uint64_t>* done_of_file = nullptr;  ///< counts up likewise, for one file; null: nobody asks
  /// Of one action: its coordinator's last answer was that it does not know it, or does not run. Null: nobody asks.
  std::atomic<bool>* is_untaken = nullptr;

  /// Return the same for one action; what is given outlives what is made of it.
  [[nodiscard]] Environment of_action(std::atomic<bool>& untaken, std::atomic<std::uint64_t>* done = nullptr) const {
    Environment environment = *this;
    environment.is_untaken = &untaken;
    environment.done_of_file = done;
    return environment;
  }
};

}  // namespace lhsm::run
