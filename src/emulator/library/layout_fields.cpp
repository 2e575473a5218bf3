// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a component says about its stripes.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "library/layout_object.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

constexpr std::uint64_t k_last_index = 65531;

/// Return the current component for a call that gives a result through a pointer.
const LayoutPart* part_to_read(const llapi_layout* layout, const void* result) {
  const auto* part = current_part(layout);
  if (part != nullptr && result == nullptr) errno = EINVAL;
  return result == nullptr ? nullptr : part;
}

/// Return the current component for a call that foreign ones do not allow.
LayoutPart* striped_part(llapi_layout* layout) {
  auto* part = current_part(layout);
  if (part != nullptr && part->pattern == k_layout_foreign) {
    errno = EINVAL;
    return nullptr;
  }
  return part;
}

bool is_stripe_size(std::uint64_t size) {
  return size == k_layout_default || (size != 0 && size % LayoutHeader::k_min_stripe == 0 && size >> 32U == 0);
}

/// Stripe size and extension size are one field, of which a component's kind says what it is.
int get_size(const llapi_layout* layout, std::uint64_t* size, bool of_extension) {
  const auto* part = part_to_read(layout, size);
  if (part == nullptr) return -1;
  if (part->pattern == k_layout_foreign || part->is_extension() != of_extension) return layout_error(EINVAL);
  *size = part->stripe_size * (of_extension ? k_extension_unit : 1);
  return 0;
}

int set_size(llapi_layout* layout, std::uint64_t size, bool of_extension) {
  auto* part = striped_part(layout);
  if (part == nullptr) return -1;
  if (part->is_extension() != of_extension) return layout_error(EINVAL);
  if (of_extension) size /= k_extension_unit;
  if (of_extension && size == k_layout_default) return layout_error(EINVAL);
  if (!is_stripe_size(size)) return layout_error(EINVAL);
  part->stripe_size = size;
  return 0;
}

int reset_ost(llapi_layout* layout, void* first_error) {
  if (llapi_layout_ost_index_set(layout, 0, k_layout_default) != 0 && *static_cast<int*>(first_error) == 0)
    *static_cast<int*>(first_error) = errno;
  return 0;
}

}  // namespace

LHSM_LAYOUT_EXPORT int llapi_layout_stripe_count_get(const llapi_layout* layout, std::uint64_t* count) {
  const auto* part = part_to_read(layout, count);
  if (part == nullptr) return -1;
  *count = part->pattern == k_layout_foreign ? 0 : part->stripe_count;
  return 0;
}

LHSM_LAYOUT_EXPORT bool llapi_layout_stripe_count_is_valid(std::int64_t count) {
  const auto value = static_cast<std::uint64_t>(count);
  return (value >= k_layout_default && value <= k_layout_wide_max) || (value > 0 && value <= k_most_stripes);
}

LHSM_LAYOUT_EXPORT int llapi_layout_stripe_count_set(llapi_layout* layout, std::uint64_t count) {
  auto* part = current_part(layout);
  if (part == nullptr) return -1;
  if (!llapi_layout_stripe_count_is_valid(static_cast<std::int64_t>(count))) return layout_error(EINVAL);
  part->stripe_count = count;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_stripe_size_get(const llapi_layout* layout, std::uint64_t* size) {
  return get_size(layout, size, false);
}
LHSM_LAYOUT_EXPORT int llapi_layout_stripe_size_set(llapi_layout* layout, std::uint64_t size) {
  return set_size(layout, size, false);
}
LHSM_LAYOUT_EXPORT int llapi_layout_extension_size_get(const llapi_layout* layout, std::uint64_t* size) {
  return get_size(layout, size, true);
}
LHSM_LAYOUT_EXPORT int llapi_layout_extension_size_set(llapi_layout* layout, std::uint64_t size) {
  return set_size(layout, size, true);
}

LHSM_LAYOUT_EXPORT int llapi_layout_pattern_get(const llapi_layout* layout, std::uint64_t* pattern) {
  const auto* part = part_to_read(layout, pattern);
  if (part == nullptr) return -1;
  *pattern = part->pattern;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_pattern_set(llapi_layout* layout, std::uint64_t pattern) {
  auto* part = current_part(layout);
  if (part == nullptr) return -1;
  switch (pattern) {
    case k_layout_default:
    case k_layout_raid0:
    case k_layout_mdt:
    case k_layout_overstriping:
    case k_layout_foreign: break;
    default: return layout_error(EOPNOTSUPP);
  }
  part->pattern = pattern | (part->pattern & k_layout_specific);
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_ost_index_set(llapi_layout* layout, int stripe, std::uint64_t ost) {
  auto* part = striped_part(layout);
  if (part == nullptr) return -1;
  if (ost != k_layout_default && ost > k_last_index) return layout_error(EINVAL);
  if (stripe == 0 && ost == k_layout_default) {
    part->stripe_offset = ost;
    part->pattern &= ~k_layout_specific;
    part->osts.clear();
    return 0;
  }
  if (stripe < 0 || static_cast<std::uint64_t>(stripe) >= k_most_stripes || ost == k_layout_default)
    return layout_error(EINVAL);
  const auto number = static_cast<std::size_t>(stripe);
  if (part->osts.size() <= number) part->osts.resize(number + 1, static_cast<std::uint32_t>(k_no_index));
  part->osts[number] = static_cast<std::uint32_t>(ost);
  if (stripe == 0)
    part->stripe_offset = ost;
  else
    part->pattern |= k_layout_specific;
  if (part->stripe_count == k_layout_default || part->stripe_count <= number) part->stripe_count = number + 1;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_ost_index_get(const llapi_layout* layout, std::uint64_t stripe,
                                                  std::uint64_t* index) {
  const auto* part = part_to_read(layout, index);
  if (part == nullptr) return -1;
  if (part->pattern == k_layout_foreign || stripe >= part->stripe_count || stripe >= part->osts.size())
    return layout_error(EINVAL);
  *index = part->stripe_offset == k_layout_default ? k_layout_default : part->osts[stripe];
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_ost_index_reset(llapi_layout* layout) {
  int first_error = 0;
  const int rc = llapi_layout_comp_iterate(layout, reset_ost, &first_error);
  if (first_error != 0) errno = first_error;
  return first_error != 0 || rc < 0 ? -errno : 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_pool_name_get(const llapi_layout* layout, char* name, std::size_t size) {
  const auto* part = part_to_read(layout, name);
  if (part == nullptr) return -1;
  if (part->pattern == k_layout_foreign) return layout_error(EINVAL);
  std::snprintf(name, size, "%s", part->pool.c_str());
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_pool_name_set(llapi_layout* layout, const char* name) {
  auto* part = current_part(layout);
  if (part == nullptr) return -1;
  if (name == nullptr) return layout_error(EINVAL);
  if (const char* dot = std::strchr(name, '.'); dot != nullptr) name = dot + 1;  // "fsname."
  if (std::strlen(name) >= LayoutHeader::k_pool_size || part->pattern == k_layout_foreign) return layout_error(EINVAL);
  part->pool = name;
  return 0;
}
