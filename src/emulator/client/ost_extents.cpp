// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/ost_extents.hpp"

#include <algorithm>
#include <cstring>

#include "client/layout.hpp"

namespace lhsm::emulator {
namespace {

/// Return how many of a file's first `end` bytes lie on stripe `index` of `count`.
std::uint64_t bytes_before(std::uint64_t end, std::uint64_t index, std::uint64_t count, std::uint64_t stripe_size) {
  const auto round = stripe_size * count;
  const auto rest = end % round;
  const auto begin = index * stripe_size;
  return end / round * stripe_size + (rest > begin ? std::min(rest - begin, stripe_size) : 0);
}

}  // namespace

std::vector<OstShare> ost_extents(std::string_view layout, std::uint64_t offset, std::uint64_t size) {
  const auto header = layout_header(layout);
  if (!header || header->stripe_size == 0 || header->stripe_count == 0) return {{0, size}};
  const std::size_t fixed = sizeof *header + (header->magic == LayoutHeader::k_v3 ? LayoutHeader::k_pool_size : 0);
  const std::size_t count = header->stripe_count;
  if (layout.size() < fixed + count * sizeof(OstObject)) return {{0, size}};
  std::vector<OstShare> shares;
  for (std::size_t stripe = 0; stripe < count; ++stripe) {
    const auto bytes = bytes_before(offset + size, stripe, count, header->stripe_size) -
                       bytes_before(offset, stripe, count, header->stripe_size);
    if (bytes == 0) continue;
    OstObject object;
    std::memcpy(static_cast<void*>(&object), layout.data() + fixed + stripe * sizeof object, sizeof object);
    const std::uint32_t ost = object.ost_index;
    // Overstriped files have several objects on one OST.
    const auto known =
        std::find_if(shares.begin(), shares.end(), [ost](const auto& share) { return share.ost == ost; });
    if (known == shares.end())
      shares.push_back({ost, bytes});
    else
      known->bytes += bytes;
  }
  return shares;
}

}  // namespace lhsm::emulator
