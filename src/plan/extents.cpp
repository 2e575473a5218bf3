// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/extents.hpp"

#include <algorithm>
#include <cassert>

#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::plan {

namespace {

constexpr std::uint64_t k_least = k_MiB;
constexpr std::uint64_t k_turns = 4;

}  // namespace

ExtentCutter::ExtentCutter(std::uint64_t size, std::uint64_t wanted_bytes, std::uint64_t stripe_size,
                           std::uint64_t slots)
    : m_size(size) {
  // The fewest whole stripes that are not below 1 MiB. Stripe sizes are multiples of 64 KiB and need
  // not be powers of two.
  const std::uint64_t unit = stripe_size == 0 ? k_least : (k_least + stripe_size - 1) / stripe_size * stripe_size;
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
