// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cerrno>

namespace lhsm::run {

/// Whether a coordinator that answers so, to a begin, progress or end that nothing cancelled, may have
/// forgotten its copytools: it is stopped or cut off, or does not know an action that it gave us (facts 4.4).
inline bool is_estranged(int sys_errno) {
  return sys_errno == ENOENT || sys_errno == EAGAIN || sys_errno == ENOTCONN || sys_errno == ESHUTDOWN;
}

}  // namespace lhsm::run
