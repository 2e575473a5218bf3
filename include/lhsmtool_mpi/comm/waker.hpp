// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::comm {

/// A thing to sleep on: wake() from any thread or signal handler ends the present or the next wait.
class Waker {
 public:
  Waker();
  void wake() noexcept;
  /// Sleep until `timeout` is over or somebody woke us. Return whether somebody did.
  bool wait(Duration timeout);

 private:
  Fd m_event;
};

}  // namespace lhsm::comm
