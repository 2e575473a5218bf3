// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a run is doing, in more detail than RunState has it: made when somebody asks, as it costs something for each rank.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/fid.hpp"
#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/plan/scheduler.hpp"

namespace lhsm::run {

struct RankState {
  std::string host;
  std::uint32_t slots = 0;
  std::uint32_t running = 0;       ///< slots at work
  std::uint64_t done = 0;          ///< actions that it ended with success
  std::uint64_t failed = 0;        ///< and otherwise
  std::uint64_t bytes_copied = 0;  ///< by it, running copies included
};

/// A file that is being copied.
struct RunningFile {
  ActionKind kind = ActionKind::none;
  Fid fid;
  bool is_bulk = false;
  WorkerId worker = -1;                 ///< who has it, or owns it
  std::uint64_t size = 0;
  std::uint64_t done = 0;               ///< bytes; of a striped one those of whole extents
  bool is_striped = false;
  std::uint32_t extents_done = 0;       ///< of a striped one
  std::uint32_t extents_running = 0;
  Duration age{};                       ///< since its action came
};

struct RunDetail {
  plan::QueueCounts pending;            ///< no worker has them
  plan::QueueCounts running;            ///< a worker has them
  std::uint64_t user_restores = 0;      ///< restores that are not the job's own, pending or running
  std::optional<Duration> oldest_user_restore;  ///< how long somebody has waited
  std::uint64_t bandwidth_limit = 0;    ///< bytes per second; 0: none
  std::vector<RankState> ranks;
  std::vector<RunningFile> files;       ///< striped ones, and those that have been copied for a second; not all of very many
};

/// Who can tell it. In the dispatcher's thread.
class DetailSource {
 public:
  virtual ~DetailSource() = default;
  [[nodiscard]] virtual RunDetail detail(TimePoint now) const = 0;
};

}  // namespace lhsm::run
