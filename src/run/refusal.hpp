// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::run {

/// With what an action is ended that is not to be carried out.
inline Error refusal(const comm::Job& job) {
  const auto kind = job.reject_errno == ECANCELED ? ErrorKind::cancelled : kind_of_errno(job.reject_errno);
  return {kind, job.reject_errno, "refused " + std::string(to_string(job.item.kind)) + " of", job.item.fid.bracketed()};
}

}  // namespace lhsm::run
