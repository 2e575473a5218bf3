// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace lhsm::emulator {

/// What part of a transfer is an OST's.
struct OstShare {
  std::uint32_t ost = 0;
  std::uint64_t bytes = 0;
};

/// Split a range of a file over the OSTs of its layout ("lustre.lov" bytes, V1 or V3). Of any other
/// layout, or a torn one, all is OST 0's.
[[nodiscard]] std::vector<OstShare> ost_extents(std::string_view layout, std::uint64_t offset, std::uint64_t size);

}  // namespace lhsm::emulator
