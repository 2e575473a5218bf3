// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <compare>
#include <cstdint>

namespace lhsm {

/// Bytes [offset, offset + length) of a file.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  [[nodiscard]] constexpr std::uint64_t end() const { return offset + length; }
  friend auto operator<=>(const Extent&, const Extent&) = default;
};

}  // namespace lhsm
