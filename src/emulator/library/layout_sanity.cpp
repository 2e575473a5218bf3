// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The rules of liblustreapi about components that lie beside one another, which it looks at before it
// asks a file system. They have numbers, which programs print by llapi_layout_sanity_perror().
#include <array>
#include <cerrno>
#include <cstdio>

#include "client/pools.hpp"
#include "library/layout_object.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

enum Rule : int {
  k_kept,
  k_incomplete_mirror,
  k_adjacent_extension,
  k_init_extension,
  k_flags,
  k_mdt_extension,
  k_mdt_before_extension,
  k_mdt_first,
  k_previous_extent_not_set,
  k_extendable_length,
  k_end_not_greater,
  k_zero_length,
  k_not_adjacent,
  k_start_after_end,
  k_end_alignment,
  k_extension_alignment,
  k_foreign_extension,
};

constexpr std::array<const char*, 17> k_rules{
    "",
    "Incomplete mirror - must go to EOF",
    "No adjacent extension space components",
    "Cannot apply extension flag to init components",
    "Wrong flags",
    "DoM components can't be extension space",
    "DoM components cannot be followed by extension space",
    "DoM component should be the first one in a file/mirror",
    "Must set previous component extent before adding next",
    "Extendable component must start out zero-length",
    "Component end is before end of previous component",
    "Zero length components must be followed by extension",
    "Components not adjacent (end != next->start",
    "Component start is > end",
    "The component end must be aligned by the stripe size",
    "The extension size must be aligned by the stripe size",
    "FOREIGN components can't be extension space",
};

/// A component between its neighbours in the same mirror.
struct Place {
  const LayoutPart& part;
  const LayoutPart* previous;
  const LayoutPart* next;
  bool is_first;

  [[nodiscard]] bool is_before_extension() const { return next != nullptr && next->is_extension(); }
};

Rule check_flags(const Place& place, bool is_incomplete, bool has_mirrors) {
  constexpr auto extension = CompositeEntry::k_extension;
  constexpr auto settable = extension | CompositeEntry::k_prefer;
  const auto& part = place.part;
  if (part.is_extension() && place.is_before_extension()) return k_adjacent_extension;
  if (part.is_extension() && ((part.flags & CompositeEntry::k_init) != 0 || place.is_first)) return k_init_extension;
  if (part.is_on_disk) return (part.flags & CompositeEntry::k_negated) != 0 ? k_flags : k_kept;
  if (is_incomplete) return k_kept;
  const auto allowed = settable | (has_mirrors ? CompositeEntry::k_no_sync : CompositeEntry::k_no_compression);
  return (part.flags & ~allowed) != 0 ? k_flags : k_kept;
}

Rule check_kind(const Place& place) {
  const auto& part = place.part;
  if (part.is_mdt()) {
    if (part.is_extension()) return k_mdt_extension;
    if (place.is_before_extension()) return k_mdt_before_extension;
    if (!place.is_first) return k_mdt_first;
  }
  if (part.pattern == k_layout_foreign && part.is_extension()) return k_foreign_extension;
  return k_kept;
}

Rule check_alignment(const Place& place) {
  const auto& part = place.part;
  const bool has_end = part.end != CompositeEntry::k_eof;
  if (part.is_extension()) {
    const auto unit = place.previous != nullptr ? place.previous->stripe_size : k_layout_default;
    if (unit == k_layout_default || unit == 0) return k_kept;
    if (has_end && part.end % unit != 0) return k_end_alignment;
    return part.stripe_size * k_extension_unit % unit != 0 ? k_extension_alignment : k_kept;
  }
  if (part.stripe_size == k_layout_default || part.stripe_size == 0) return k_kept;
  return has_end && part.end != part.start && part.end % part.stripe_size != 0 ? k_end_alignment : k_kept;
}

Rule check_extent(const Place& place, bool is_incomplete) {
  const auto& part = place.part;
  const auto* previous = place.previous;
  if (previous != nullptr && previous->start == 0 && previous->end == 0) return k_previous_extent_not_set;
  if (!is_incomplete) {
    const bool has_objects = place.is_first || (part.flags & CompositeEntry::k_init) != 0;
    if (place.is_before_extension() && !has_objects && part.start != part.end) return k_extendable_length;
    if (previous != nullptr && part.end < previous->end) return k_end_not_greater;
    if (part.start == part.end && !place.is_before_extension()) return k_zero_length;
    if (const auto rule = check_alignment(place); rule != k_kept) return rule;
  }
  if (previous != nullptr && part.start != previous->end) return k_not_adjacent;
  return part.start > part.end ? k_start_after_end : k_kept;
}

bool has_pool(const LayoutPart& part, const Mount& mount) {
  return part.pool.empty() || part.pool == "ignore" || pool_members(mount, part.pool);
}

}  // namespace

int lhsm::emulator::broken_rule(llapi_layout& layout, bool is_incomplete, bool has_mirrors, const Mount* pool_mount) {
  if (layout.current >= layout.parts.size()) return 0;
  // Whose components have a mirror's number in their ids is a file with mirrors.
  has_mirrors = has_mirrors || (layout.parts[layout.current].id >> 16U & 0x7fffU) != 0;
  for (std::size_t i = 0; i < layout.parts.size(); ++i) {
    const auto& part = layout.parts[i];
    if (pool_mount != nullptr && !has_pool(part, *pool_mount)) return layout_error(EINVAL);
    Place place{part, i > 0 ? &layout.parts[i - 1] : nullptr,
                i + 1 < layout.parts.size() ? &layout.parts[i + 1] : nullptr, part.start == 0};
    if (place.next != nullptr && place.next->start == 0) place.next = nullptr;
    Rule rule = k_kept;
    if (place.is_first) {
      if (place.previous != nullptr && place.previous->end != CompositeEntry::k_eof) rule = k_incomplete_mirror;
      place.previous = nullptr;
    }
    if (rule == k_kept) rule = check_flags(place, is_incomplete, has_mirrors);
    if (rule == k_kept) rule = check_kind(place);
    if (rule == k_kept) rule = check_extent(place, is_incomplete);
    if (rule != k_kept) {
      errno = EINVAL;
      return rule;
    }
  }
  return 0;
}

LHSM_LAYOUT_EXPORT void llapi_layout_sanity_perror(int error) {
  if (error < 0 || static_cast<std::size_t>(error) >= k_rules.size())
    std::printf("Invalid layout, unrecognized error: %d\n", error);
  else
    std::printf("Invalid layout: %s\n", k_rules[static_cast<std::size_t>(error)]);
}

LHSM_LAYOUT_EXPORT int llapi_layout_sanity(llapi_layout* layout, bool incomplete, bool flr) {
  return layout == nullptr ? 0 : broken_rule(*layout, incomplete, flr, nullptr);
}

LHSM_LAYOUT_EXPORT int llapi_layout_v2_sanity(llapi_layout* layout, bool incomplete, bool flr, char* fsname) {
  if (layout == nullptr) return 0;
  const char* directory = std::getenv("LHSM_EMULATOR_MOUNT");
  const Mount* mount = find_mount(std::string(directory != nullptr ? directory : "."));
  const bool knows_pools = fsname != nullptr && mount != nullptr && mount->fsname() == fsname;
  return broken_rule(*layout, incomplete, flr, knows_pools ? mount : nullptr);
}
