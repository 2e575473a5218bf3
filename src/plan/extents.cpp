// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/extents.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::plan {

namespace {

constexpr std::uint64_t k_least = k_MiB;
constexpr std::uint64_t k_turns = 4;

}  // namespace

ExtentCutter::ExtentCutter(std::uint64_t size, std::uint64_t wanted_bytes, std::uint64_t stripe_size,
                           std::uint64_t slots, std::uint64_t granule)
    : m_size(size) {
  // A stripe size of 3 MiB is as good as any: the least that is whole stripes and whole granules.
  const std::uint64_t unit = std::lcm(std::max<std::uint64_t>(stripe_size, 1), granule);
  const std::uint64_t fair = size / std::max<std::uint64_t>(1, slots * k_turns);
  const std::uint64_t length = std::min(wanted_bytes, std::max(fair, k_least));
  m_extent_bytes = std::max<std::uint64_t>(1, length / unit) * unit;
}

Extent ExtentCutter::take() {
  assert(!empty());
  const Extent extent{m_next, std::min(m_extent_bytes, m_size - m_next)};
  m_next = extent.end();
  return extent;
}

}  // namespace lhsm::plan
