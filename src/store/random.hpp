// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lhsm::store {

/// Fill `bytes` (up to 256) from the kernel. Fatal where it has no randomness.
void fill_random(std::span<std::uint8_t> bytes);
[[nodiscard]] std::uint64_t random_number();

}  // namespace lhsm::store
