// SPDX-License-Identifier: LGPL-2.1-or-later
#include "library/layout_object.hpp"

#include <cerrno>
#include <cstring>

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

/// Return how many objects a component of this size has room for.
std::size_t object_count(std::uint32_t magic, std::size_t size) {
  const auto fixed = sizeof(LayoutHeader) + (magic == LayoutHeader::k_v1 ? 0 : LayoutHeader::k_pool_size);
  return size <= fixed ? 0 : (size - fixed) / sizeof(OstObject);
}

/// A file's layout has as many objects as it says; what has none yet has none.
bool has_fitting_objects(const Layout& layout, std::size_t size) {
  for (const auto& component : layout.components) {
    if (!component.foreign.empty()) continue;
    if (component.header.magic == LayoutHeader::k_specific) return false;
    const auto count = object_count(component.header.magic, layout.is_composite ? component.entry.size : size);
    if (layout.is_composite) {
      if ((component.entry.flags & CompositeEntry::k_init) == 0 && count != 0) return false;
    } else if (count != component.header.stripe_count) {
      return false;
    }
  }
  return true;
}

std::uint64_t pattern_of(std::uint32_t pattern) {
  if (pattern == LayoutHeader::k_raid0) return k_layout_raid0;
  if (pattern == (LayoutHeader::k_raid0 | LayoutHeader::k_overstriped)) return k_layout_overstriping;
  if ((pattern & LayoutHeader::k_mdt) != 0) return k_layout_mdt;
  return pattern;  // a released file's, for one
}

LayoutPart part_of(const Component& component, bool is_composite) {
  LayoutPart part;
  part.is_on_disk = true;
  if (is_composite) {
    part.start = component.entry.start;
    part.end = component.entry.end;
    part.id = component.entry.id;
    part.flags = component.entry.flags;
    if ((part.flags & CompositeEntry::k_no_sync) != 0) part.timestamp = component.entry.timestamp;
  }
  if (!component.foreign.empty()) {
    part.pattern = k_layout_foreign;
    part.foreign = component.foreign;
    return part;
  }
  const auto& header = component.header;
  part.pattern = pattern_of(header.pattern);
  if (header.stripe_size != 0) part.stripe_size = header.stripe_size;
  if (header.stripe_count >= LayoutHeader::k_all_osts_often)
    part.stripe_count = k_layout_wide_min + (LayoutHeader::k_all_osts - header.stripe_count);
  else if (header.stripe_count != 0)
    part.stripe_count = header.stripe_count;
  if (header.stripe_offset != LayoutHeader::k_any_ost) part.stripe_offset = header.stripe_offset;
  part.pool = component.pool;
  for (const auto& object : component.objects) part.osts.push_back(object.ost_index);
  if (!part.osts.empty()) part.stripe_offset = part.osts[0];
  return part;
}

Outcome<std::uint32_t> lov_pattern(std::uint64_t pattern) {
  switch (pattern) {
    case k_layout_default:
    case k_layout_raid0: return LayoutHeader::k_raid0;
    case k_layout_mdt: return LayoutHeader::k_mdt;
    case k_layout_overstriping: return LayoutHeader::k_raid0 | LayoutHeader::k_overstriped;
    default: return errno_error("layout", "pattern", EINVAL);
  }
}

std::uint16_t lov_count(std::uint64_t count) {
  if (count == k_layout_default) return 0;
  if (count >= k_layout_wide_min && count <= k_layout_wide_max)
    return static_cast<std::uint16_t>(LayoutHeader::k_all_osts - (count - k_layout_wide_min));
  return static_cast<std::uint16_t>(count);
}

Outcome<Component> component_of(const LayoutPart& part) {
  Component component;
  component.entry.start = part.start;
  component.entry.end = part.end;
  component.entry.id = part.id;
  component.entry.flags = part.flags;
  if ((part.flags & CompositeEntry::k_no_sync) != 0) component.entry.timestamp = part.timestamp;
  component.foreign = part.foreign;
  if (!part.foreign.empty()) return component;
  auto& header = component.header;
  LHSM_TRY_ASSIGN(const std::uint32_t pattern, lov_pattern(part.pattern & ~k_layout_specific));
  header.pattern = pattern;
  header.stripe_size = part.stripe_size == k_layout_default ? 0 : static_cast<std::uint32_t>(part.stripe_size);
  header.stripe_count = lov_count(part.stripe_count);
  header.stripe_offset =
      part.stripe_offset == k_layout_default ? LayoutHeader::k_any_ost : static_cast<std::uint16_t>(part.stripe_offset);
  component.pool = part.pool;
  if ((part.pattern & k_layout_specific) != 0) {
    header.magic = LayoutHeader::k_specific;
    for (std::uint64_t i = 0; i < part.stripe_count; ++i) {
      if (i >= part.osts.size() || part.osts[i] == k_no_index) return errno_error("layout", "OSTs", EINVAL);
      OstObject object;
      object.ost_index = part.osts[i];
      component.objects.push_back(object);
    }
  }
  return component;
}

}  // namespace

namespace lhsm::emulator {

bool LayoutPart::is_mdt() const {
  return (pattern & k_layout_invalid) == 0 && (pattern & (k_layout_mdt | LayoutHeader::k_mdt)) != 0;
}

int layout_error(int sys_errno) {
  errno = sys_errno;
  return -1;
}

const LayoutPart* current_part(const llapi_layout* layout) {
  if (layout == nullptr || layout->magic != llapi_layout::k_magic || layout->current >= layout->parts.size()) {
    errno = EINVAL;
    return nullptr;
  }
  return &layout->parts[layout->current];
}

LayoutPart* current_part(llapi_layout* layout) {
  return const_cast<LayoutPart*>(current_part(static_cast<const llapi_layout*>(layout)));
}

Outcome<std::string> bytes_of(const llapi_layout& layout) {
  if (layout.parts.empty()) return errno_error("layout", "components", EINVAL);
  Layout made;
  made.is_composite = layout.is_composite;
  made.head.flags = static_cast<std::uint16_t>(layout.flags);
  made.head.mirror_count = static_cast<std::uint16_t>(layout.mirror_count - 1);
  for (const auto& part : layout.parts) {
    LHSM_TRY_ASSIGN(Component component, component_of(part));
    made.components.push_back(std::move(component));
    if (!layout.is_composite) break;
  }
  return pack_layout(made);
}

}  // namespace lhsm::emulator

LHSM_LAYOUT_EXPORT llapi_layout* llapi_layout_alloc() {
  auto* layout = new llapi_layout;
  layout->parts.resize(1);
  return layout;
}

LHSM_LAYOUT_EXPORT void llapi_layout_free(llapi_layout* layout) { delete layout; }

LHSM_LAYOUT_EXPORT llapi_layout* llapi_layout_get_by_xattr(void* value, ssize_t size, int flags) {
  if (value == nullptr || size <= 0) {
    errno = EINVAL;
    return nullptr;
  }
  const std::string_view bytes(static_cast<const char*>(value), static_cast<std::size_t>(size));
  const auto parsed = parse_layout(bytes);
  if (!parsed || !parsed->foreign.empty()) {
    errno = ERANGE;  // cut off, or of a kind of which the size is not known
    return nullptr;
  }
  if ((flags & k_layout_get_check) != 0 && !has_fitting_objects(*parsed, bytes.size())) {
    errno = EBADSLT;
    return nullptr;
  }
  if (parsed->components.empty()) {
    errno = EINVAL;
    return nullptr;
  }
  auto* layout = new llapi_layout;
  layout->is_composite = parsed->is_composite;
  if (parsed->is_composite) {
    layout->generation = parsed->head.generation;
    layout->flags = parsed->head.flags;
    layout->mirror_count = static_cast<std::uint16_t>(parsed->head.mirror_count + 1);
  }
  for (const auto& component : parsed->components) layout->parts.push_back(part_of(component, parsed->is_composite));
  layout->current = layout->parts.size() - 1;
  return layout;
}
