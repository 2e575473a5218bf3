// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/ost_extents.hpp"

#include <algorithm>


namespace lhsm::emulator {
namespace {

/// Return how many of a file's first `end` bytes lie on stripe `index` of `count`.
std::uint64_t bytes_before(std::uint64_t end, std::uint64_t index, std::uint64_t count, std::uint64_t stripe_size) {
  const auto round = stripe_size * count;
  const auto rest = end % round;
  const auto begin = index * stripe_size;
  return end / round * stripe_size + (rest > begin ? std::min(rest - begin, stripe_size) : 0);
}

/// Overstriped files have several objects on one OST.
void add(std::vector<OstShare>& shares, std::uint32_t ost, std::uint64_t bytes) {
  if (bytes == 0) return;
  const auto known = std::find_if(shares.begin(), shares.end(), [ost](const auto& share) { return share.ost == ost; });
  if (known == shares.end())
    shares.push_back({ost, bytes});
  else
    known->bytes += bytes;
}

/// Stripes are counted from the begin of the file, also in a component that begins later.
void split(std::vector<OstShare>& shares, const Component& component, std::uint64_t begin, std::uint64_t end) {
  if (component.is_mdt()) return;
  const std::uint64_t stripe = component.header.stripe_size;
  if (component.objects.empty() || stripe == 0) return add(shares, 0, end - begin);
  const auto count = component.objects.size();
  for (std::size_t i = 0; i < count; ++i)
    add(shares, component.objects[i].ost_index,
        bytes_before(end, i, count, stripe) - bytes_before(begin, i, count, stripe));
}

}  // namespace

std::vector<OstShare> ost_extents(const Layout& layout, std::uint64_t offset, std::uint64_t size) {
  std::vector<OstShare> shares;
  std::uint64_t at = offset;
  const std::uint64_t end = offset + size;
  for (const auto& component : layout.components) {
    // Components are in the order of their extents; a later mirror begins at 0 again.
    const std::uint64_t from = component.entry.start;
    const std::uint64_t to = std::min<std::uint64_t>(component.entry.end, end);
    if (from > at || to <= at) continue;
    split(shares, component, at, to);
    at = to;
  }
  add(shares, 0, end - at);
  return shares;
}

}  // namespace lhsm::emulator
