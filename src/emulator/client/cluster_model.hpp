// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The seam for a model of a slow cluster: what moves data on an emulated mount asks here first.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lhsm::emulator {

class Mount;

/// Return whether there is a model to ask. Makes no system call.
[[nodiscard]] inline bool cluster_model_is_active() { return false; }

/// Take the time that a transfer takes. Return 0, or an errno with which the transfer fails.
[[nodiscard]] inline int model_transfer(Mount& /*mount*/, int /*fd*/, std::uint64_t /*offset*/, std::size_t /*size*/,
                                        bool /*is_write*/) {
  return 0;
}

}  // namespace lhsm::emulator
