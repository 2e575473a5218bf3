// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which requests a file's HSM state allows. The same table is asked twice: when a request is
// recorded and again when it is sent, as the file may have changed meanwhile.
#pragma once

#include <cstdint>

namespace lhsm::emulator {

/// A file's HSM attributes, as its xattr holds them.
struct HsmState {
  std::uint32_t flags = 0;
  std::uint32_t archive_id = 0;
  std::uint64_t archive_version = 0;  ///< data version of the archived copy

  friend bool operator==(const HsmState&, const HsmState&) = default;
};

/// Return whether there is anything to do; a request that is not needed is dropped with success.
[[nodiscard]] bool action_is_needed(std::uint32_t action, std::uint64_t flags, const HsmState& state);

/// Return whether the state allows the action; -EPERM is the caller's answer when it does not.
[[nodiscard]] bool action_is_compatible(std::uint32_t action, std::uint32_t archive_id, const HsmState& state);

/// Return 0 when a file may be released, else -EPERM. `data_version` is the file's present one.
[[nodiscard]] int check_release(const HsmState& state, std::uint64_t data_version);

/// Apply a user's set and clear masks. Return 0, -EINVAL for unknown bits or an inconsistent result,
/// -EPERM for bits that only an administrator may change.
int change_flags(HsmState& state, std::uint64_t set, std::uint64_t clear, std::uint32_t archive_id, bool is_admin);

}  // namespace lhsm::emulator
