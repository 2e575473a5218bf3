// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/comm/ask_messages.hpp"

namespace lhsm::run {

/// What a job lets ranks do besides actions. The dispatcher carries it there and back; all calls are made in its thread.
class Errands {
 public:
  virtual ~Errands() = default;
  /// The dispatcher begins to serve: errands may go to these workers; `wake` it for each that is new (by any thread).
  virtual void open(std::vector<WorkerId> workers, std::function<void()> wake) = 0;
  /// The dispatcher has ended: `wake` is not to be called any more, and nobody will answer.
  virtual void close() = 0;
  [[nodiscard]] virtual std::optional<std::pair<WorkerId, comm::AskFiles>> next() = 0;
  /// Return false for an answer that was not asked for.
  [[nodiscard]] virtual bool answered(WorkerId from, const comm::FilesAsked& message) = 0;
  /// Whether none is on its way.
  [[nodiscard]] virtual bool idle() const = 0;
  /// A worker that has one.
  [[nodiscard]] virtual std::optional<WorkerId> any_holder() const = 0;
};

}  // namespace lhsm::run
