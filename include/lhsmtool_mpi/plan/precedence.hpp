// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

namespace lhsm::plan {

/// Whether an action is one of those that a job asked for itself, which go behind all others.
enum class Precedence : std::uint8_t { others, bulk };

}  // namespace lhsm::plan
