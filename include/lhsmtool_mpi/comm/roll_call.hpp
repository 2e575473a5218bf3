// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How a dispatcher finds that all ranks are there at the beginning, and gone at the end.
#pragma once

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/comm/channel.hpp"

namespace lhsm::comm {

/// What all ranks of a run must have in common.
struct Likeness {
  std::string build;    ///< identity of the executable
  std::string options;  ///< "name=value" lines; empty: there are none to compare
  std::string file_system;  ///< of rank 0; each Hello has its own. Empty: not known

  Likeness(std::string its_build = {}, std::string its_options = {})
      : build(std::move(its_build)), options(std::move(its_options)) {}
  Likeness(const char* its_build) : build(its_build) {}

  /// Fill in what a Hello says of build and options.
  void tell(Hello& hello) const;
};

/// Return why the rank that said `hello` cannot take part in a run of a rank 0 that is like `own`; empty: it can.
[[nodiscard]] std::string why_not(const Hello& hello, WorkerId rank, const Likeness& own);

/// Wait until all ranks have said Hello, and return those in the order of ranks; nothing when `stop` became true
/// meanwhile. Other messages that come before are passed over. Throws Fatal when a rank cannot work, is of another
/// build or has other options, or is silent for two minutes.
[[nodiscard]] std::vector<Hello> greet(Channel& channel, int ranks, const Likeness& own,
                                       const std::atomic<bool>& stop);

/// Send all ranks home. Return whether all have gone within half a minute; other messages are passed over.
[[nodiscard]] bool dismiss(Channel& channel, int ranks);

}  // namespace lhsm::comm
