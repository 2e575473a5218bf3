// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/interval_union.hpp"

#include <algorithm>
#include <limits>

namespace lhsm::emulator {

bool IntervalUnion::add(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return true;
  std::uint64_t first = offset;
  std::uint64_t last = offset + length - 1;
  if (last < first) return false;

  // Neighbours that only touch are merged too, hence the one byte of margin on both sides.
  auto it = m_last_by_first.upper_bound(first);
  if (it != m_last_by_first.begin()) {
    const auto before = std::prev(it);
    if (first == 0 || before->second >= first - 1) it = before;
  }
  constexpr std::uint64_t end_of_all = std::numeric_limits<std::uint64_t>::max();
  while (it != m_last_by_first.end() && it->first <= (last == end_of_all ? last : last + 1)) {
    first = std::min(first, it->first);
    last = std::max(last, it->second);
    m_total -= it->second - it->first + 1;
    it = m_last_by_first.erase(it);
  }
  m_last_by_first.emplace(first, last);
  m_total += last - first + 1;
  return true;
}

}  // namespace lhsm::emulator
