// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "core/layout.hpp"

namespace lhsm::emulator {

/// What part of a transfer is an OST's.
struct OstShare {
  std::uint32_t ost = 0;
  std::uint64_t bytes = 0;
};

/// Split a range of a file over the OSTs of its layout: of several mirrors the first. What lies on an MDT
/// is no OST's; what lies in a component without objects, or in a layout of another kind, is OST 0's.
[[nodiscard]] std::vector<OstShare> ost_extents(const Layout& layout, std::uint64_t offset, std::uint64_t size);

}  // namespace lhsm::emulator
