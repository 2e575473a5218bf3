// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How dispatcher and workers reach each other. A peer is a worker's number, which is its MPI rank;
// the dispatcher reaches workers, a worker reaches only the dispatcher.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/comm/codec.hpp"
#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::comm {

struct Envelope {
  WorkerId peer = 0;  ///< who sent it; 0 at a worker's end, where only the dispatcher speaks
  Message message;
};

/// One end. send() and receive() belong to one thread; wake() may be called by any, also from a
/// signal handler. Bytes that are no message throw Fatal: a run whose ranks misunderstand each other
/// cannot go on.
class Channel {
 public:
  virtual ~Channel() = default;

  /// Send without waiting for the receiver. `peer` is ignored at a worker's end.
  virtual void send(WorkerId peer, const Message& message) = 0;

  /// Return the next message, or nothing when `timeout` is over or wake() was called meanwhile. Waits
  /// without burning the processor; a message is seen within about a millisecond.
  [[nodiscard]] virtual std::optional<Envelope> receive(Duration timeout) = 0;

  /// Make a receive() that waits now, or the next one, return at once.
  virtual void wake() = 0;
};

}  // namespace lhsm::comm
