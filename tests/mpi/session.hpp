// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/comm/mpi_session.hpp"

namespace lhsm::test {

/// The one session of a test program.
inline comm::MpiSession& session() {
  static comm::MpiSession instance;
  return instance;
}

}  // namespace lhsm::test
