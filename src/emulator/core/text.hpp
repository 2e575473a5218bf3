// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What `lctl get_param mdt.*.hsm.*` prints, word for word as Lustre does: scripts read it by columns.
#pragma once

#include <string>

#include "core/coordinator.hpp"

namespace lhsm::emulator {

[[nodiscard]] std::string actions_text(const Coordinator& coordinator);
[[nodiscard]] std::string active_requests_text(const Coordinator& coordinator);
[[nodiscard]] std::string agents_text(const Coordinator& coordinator);
[[nodiscard]] std::string_view control_text(Coordinator::State state);

}  // namespace lhsm::emulator
