// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a Lustre client does when somebody touches the data of a released file: ask for a restore, wait
// for its end, look again.
#pragma once

#include "core/attributes.hpp"

namespace lhsm::emulator {

/// Return whether a file may be released, as far as its xattrs tell. True also when they do not tell,
/// because the caller has not the right to read them.
[[nodiscard]] bool may_be_released(const AttributeNames& names, int fd);

/// Have a released file restored and wait until its data are there; the same descriptor reads them
/// then. Returns 0 (also for what is not released or on no emulated mount), or
///   -ENODATA   the restore failed, was cancelled, timed out or was purged; or policy NonBlockingRestore
///   -EAGAIN    the coordinator is stopped
///   -EPERM     the masks do not allow this user a restore, or the file's state allows none
///   -EINTR     SIGINT, SIGTERM, SIGQUIT or SIGALRM came, and was handled; the restore goes on
///   -ENOTCONN  no daemon runs
[[nodiscard]] int wait_restored(int fd);

}  // namespace lhsm::emulator
