// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/extents.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::plan {

namespace {

constexpr std::uint64_t k_least = k_MiB;
constexpr std::uint64_t k_turns = 4;
// Of extents of one length the last come to an end at any time within it: on 2 ranks 7 % of a file of 4 GiB.
constexpr std::uint64_t k_last_turns = 2;  // an extent is this part of what is left for its slot
constexpr std::uint64_t k_shortest = 8;    // and at least this part of the first; each costs an open and a sync

std::uint64_t bytes_of(const std::vector<Extent>& extents) {
  std::uint64_t bytes = 0;
  for (const Extent& extent : extents) bytes += extent.length;
  return bytes;
}

}  // namespace

ExtentCutter::ExtentCutter(std::uint64_t size, std::uint64_t wanted_bytes, std::uint64_t stripe_size,
                           std::uint64_t slots, std::uint64_t granule, std::vector<Extent> done)
    : m_size(size),
      m_done(std::move(done)),
      m_left(size - bytes_of(m_done)),
      m_slots(std::max<std::uint64_t>(1, slots)),
      // A stripe size of 3 MiB is as good as any: the least that is whole stripes and whole granules.
      m_unit(std::lcm(std::max<std::uint64_t>(stripe_size, 1), granule)),
      m_extent_bytes(whole_units(std::min(wanted_bytes, std::max(m_left / (m_slots * k_turns), k_least)))),
      m_least_bytes(whole_units(m_extent_bytes / k_shortest)) {
  pass_over_done();
}

void ExtentCutter::pass_over_done() {
  for (; m_next_done < m_done.size() && m_done[m_next_done].offset <= m_next; ++m_next_done)
    m_next = std::max(m_next, m_done[m_next_done].end());
}

std::uint64_t ExtentCutter::whole_units(std::uint64_t bytes) const {
  return std::max<std::uint64_t>(1, bytes / m_unit) * m_unit;
}

Extent ExtentCutter::take() {
  assert(!empty());
  const std::uint64_t length = std::clamp(whole_units(m_left / (m_slots * k_last_turns)), m_least_bytes, m_extent_bytes);
  const std::uint64_t end = m_next_done < m_done.size() ? m_done[m_next_done].offset : m_size;
  const Extent extent{m_next, std::min(length, end - m_next)};
  m_next = extent.end();
  m_left -= extent.length;
  pass_over_done();
  return extent;
}

}  // namespace lhsm::plan
