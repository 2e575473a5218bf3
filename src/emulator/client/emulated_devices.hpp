// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The devices on which this process has met emulated mounts, to be asked without a lock and without a
// path: nearly every file of nearly every program lies elsewhere.
#pragma once

#include <sys/types.h>

#include "core/attributes.hpp"

namespace lhsm::emulator {

/// Note a mount's device and the names of its xattrs; `names` must live as long as the process.
void note_device(dev_t device, const AttributeNames& names);

/// Call `test` with the attribute names of each kind of mount on a device until it returns true; return
/// whether it did. The mount of LHSM_EMULATOR_MOUNT counts as met.
bool any_mount_on(dev_t device, bool (*test)(const AttributeNames& names, int fd), int fd);
[[nodiscard]] bool is_emulated_device(dev_t device);
/// Return whether mounts were met, and all keep their xattrs in trusted names.
[[nodiscard]] bool only_trusted_names();

}  // namespace lhsm::emulator
