// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The components of a layout: their extents and flags, adding and removing, walking over them.
#include <algorithm>
#include <cerrno>

#include "library/layout_object.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

enum Position : std::uint32_t { k_first = 1, k_last = 2, k_next = 3, k_previous = 4 };

bool is_layout(const llapi_layout* layout) {
  if (layout != nullptr && layout->magic == llapi_layout::k_magic) return true;
  errno = EINVAL;
  return false;
}

}  // namespace

LHSM_LAYOUT_EXPORT bool llapi_layout_is_composite(llapi_layout* layout) { return layout->is_composite; }

LHSM_LAYOUT_EXPORT int llapi_layout_flags_get(llapi_layout* layout, std::uint32_t* flags) {
  if (!is_layout(layout)) return -1;
  *flags = layout->flags;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_flags_set(llapi_layout* layout, std::uint32_t flags) {
  if (!is_layout(layout)) return -1;
  layout->flags = flags;
  return 0;
}

LHSM_LAYOUT_EXPORT const char* llapi_layout_flags_string(std::uint32_t flags) {
  switch (flags & 0xbU) {
    case 1: return "ro";
    case 2: return "wp";
    case 3: return "sp";
    case 9: return "ro,pccro";
    case 10: return "wp,pccro";
    case 11: return "sp,pccro";
    default: return "0";
  }
}

LHSM_LAYOUT_EXPORT int llapi_layout_mirror_count_get(llapi_layout* layout, std::uint16_t* count) {
  if (!is_layout(layout)) return -1;
  *count = layout->mirror_count;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_mirror_count_set(llapi_layout* layout, std::uint16_t count) {
  constexpr std::uint16_t most = 16;
  if (!is_layout(layout)) return -1;
  if (count > most) return layout_error(EINVAL);
  layout->mirror_count = count;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_comp_extent_get(const llapi_layout* layout, std::uint64_t* start,
                                                    std::uint64_t* end) {
  const auto* part = current_part(layout);
  if (part == nullptr) return -1;
  if (start == nullptr || end == nullptr) return layout_error(EINVAL);
  *start = part->start;
  *end = part->end;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_comp_extent_set(llapi_layout* layout, std::uint64_t start, std::uint64_t end) {
  auto* part = current_part(layout);
  if (part == nullptr) return -1;
  if (start > end) return layout_error(EINVAL);
  part->start = start;
  part->end = end;
  layout->is_composite = true;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_comp_flags_get(const llapi_layout* layout, std::uint32_t* flags) {
  const auto* part = current_part(layout);
  if (part == nullptr) return -1;
  if (flags == nullptr) return layout_error(EINVAL);
  *flags = part->flags;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_comp_flags_set(llapi_layout* layout, std::uint32_t flags) {
  auto* part = current_part(layout);
  if (part == nullptr) return -1;
  part->flags |= flags;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_comp_flags_clear(llapi_layout* layout, std::uint32_t flags) {
  auto* part = current_part(layout);
  if (part == nullptr) return -1;
  part->flags &= ~flags;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_comp_id_get(const llapi_layout* layout, std::uint32_t* id) {
  const auto* part = current_part(layout);
  if (part == nullptr) return -1;
  if (id == nullptr) return layout_error(EINVAL);
  *id = part->id;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_mirror_id_get(const llapi_layout* layout, std::uint32_t* id) {
  if (llapi_layout_comp_id_get(layout, id) != 0) return -1;
  *id = *id >> 16U & 0x7fffU;
  return 0;
}

/// The new component begins where the last one ends, and goes nearly to the end of the file until its own
/// extent is set; a last one that goes to the very end leaves no room for it.
LHSM_LAYOUT_EXPORT int llapi_layout_comp_add(llapi_layout* layout) {
  if (current_part(layout) == nullptr) return -1;
  LayoutPart part;
  part.start = layout->parts.back().end;
  part.end = CompositeEntry::k_eof - 1;
  if (part.start > part.end) return layout_error(EINVAL);
  layout->parts.push_back(part);
  layout->current = layout->parts.size() - 1;
  layout->is_composite = true;
  return 0;
}

/// Begin another mirror.
LHSM_LAYOUT_EXPORT int llapi_layout_add_first_comp(llapi_layout* layout) {
  if (current_part(layout) == nullptr) return -1;
  layout->parts.emplace_back();
  layout->current = layout->parts.size() - 1;
  layout->is_composite = true;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_comp_del(llapi_layout* layout) {
  if (current_part(layout) == nullptr) return -1;
  if (!layout->is_composite || layout->current != layout->parts.size() - 1) return layout_error(EINVAL);
  layout->parts.pop_back();
  layout->current = layout->parts.empty() ? llapi_layout::k_none : layout->parts.size() - 1;
  return 0;
}

LHSM_LAYOUT_EXPORT int llapi_layout_comp_use_id(llapi_layout* layout, std::uint32_t id) {
  if (current_part(layout) == nullptr) return -1;
  if (!layout->is_composite || id == 0) return layout_error(EINVAL);
  const auto found =
      std::find_if(layout->parts.begin(), layout->parts.end(), [&](const LayoutPart& part) { return part.id == id; });
  if (found == layout->parts.end()) return layout_error(ENOENT);
  layout->current = static_cast<std::size_t>(found - layout->parts.begin());
  return 0;
}

/// 1: there is no component there.
LHSM_LAYOUT_EXPORT int llapi_layout_comp_use(llapi_layout* layout, std::uint32_t position) {
  if (current_part(layout) == nullptr) return -1;
  const auto last = layout->parts.size() - 1;
  const auto nothing_there = [] {
    errno = ENOENT;
    return 1;
  };
  switch (position) {
    case k_first: layout->current = 0; return 0;
    case k_last: layout->current = last; return 0;
    case k_next:
      if (!layout->is_composite || layout->current == last) return nothing_there();
      ++layout->current;
      return 0;
    case k_previous:
      if (!layout->is_composite || layout->current == 0) return nothing_there();
      --layout->current;
      return 0;
    default: return layout->is_composite ? layout_error(EINVAL) : nothing_there();
  }
}

/// Call for each component until one answers other than 0; that answer.
LHSM_LAYOUT_EXPORT int llapi_layout_comp_iterate(llapi_layout* layout, llapi_layout_iter_cb callback, void* data) {
  if (callback == nullptr) return layout_error(EINVAL);
  int rc = llapi_layout_comp_use(layout, k_first);
  if (rc != 0) return rc;
  for (;;) {
    if (rc = callback(layout, data); rc != 0) return rc;
    rc = llapi_layout_comp_use(layout, k_next);
    if (rc != 0) return rc < 0 ? rc : 0;
  }
}

/// Size of the MDT component, 0 without one.
LHSM_LAYOUT_EXPORT int llapi_layout_dom_size(llapi_layout* layout, std::uint64_t* size) {
  *size = 0;
  if (layout == nullptr || !layout->is_composite) return 0;
  if (llapi_layout_comp_use(layout, k_first) != 0) return -errno;
  const auto& part = layout->parts[0];
  if (!part.is_mdt()) return 0;
  *size = part.end;
  return part.start != 0 ? -ERANGE : 0;
}
