// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/layout.hpp"

#include <algorithm>
#include <numeric>

namespace lhsm::emulator {
namespace {

bool is_wide(std::uint16_t count) { return count >= LayoutHeader::k_all_osts_often; }

/// What is set on a directory or by a user says "as usual" with zeros.
void fill_in(Component& component) {
  auto& header = component.header;
  header.pattern &= ~LayoutHeader::k_released;
  if (header.pattern == 0) header.pattern = LayoutHeader::k_raid0;
  if (header.stripe_size == 0) {
    // A component ends with a whole stripe: where the usual size does not fit, the largest power of two does.
    const std::uint64_t end = component.entry.end;
    const bool fits = end == CompositeEntry::k_eof || end % k_default_stripe_size == 0;
    header.stripe_size = fits ? k_default_stripe_size : static_cast<std::uint32_t>(end & ~(end - 1));
  }
  if (component.is_mdt())
    header.stripe_count = 0;
  else if (header.stripe_count == 0)
    header.stripe_count = 1;
}

/// No more stripes than the extent has room for.
void limit_to_extent(Component& component) {
  const auto& entry = component.entry;
  auto& header = component.header;
  if ((entry.flags & CompositeEntry::k_extension) != 0 || is_wide(header.stripe_count)) return;
  if (entry.start >= entry.end || entry.end == CompositeEntry::k_eof) return;
  const std::uint64_t room = (entry.end - entry.start + header.stripe_size - 1) / header.stripe_size;
  if (header.stripe_count > room) header.stripe_count = static_cast<std::uint16_t>(room);
}

/// Return the OSTs that a component may use, those of its pool if it has one.
std::vector<std::uint16_t> usable_osts(const Component& component, const OstMap& osts) {
  if (const auto pool = osts.pool(component.pool); pool && !pool->empty()) return *pool;
  std::vector<std::uint16_t> all(osts.count);
  std::iota(all.begin(), all.end(), std::uint16_t{0});
  return all;
}

/// Give a component its objects; return the OST after the last.
std::uint16_t give_objects(Component& component, const OstMap& osts, std::uint16_t first_ost) {
  auto& header = component.header;
  component.entry.flags |= CompositeEntry::k_init;
  const std::uint16_t wanted_first = header.stripe_offset;
  header.stripe_offset = 0;  // from now on the generation
  if (component.is_mdt()) return first_ost;
  if (header.magic == LayoutHeader::k_specific) {
    // The first object is on the OST that was asked for, the others follow in the order of the list.
    auto& objects = component.objects;
    const auto first = std::find_if(objects.begin(), objects.end(),
                                    [&](const OstObject& object) { return object.ost_index == wanted_first; });
    if (first != objects.end()) std::rotate(objects.begin(), first, objects.end());
    header.magic = LayoutHeader::k_v1;
    header.stripe_count = static_cast<std::uint16_t>(objects.size());
    return first_ost;
  }
  const auto usable = usable_osts(component, osts);
  std::size_t count = header.stripe_count;
  if (is_wide(header.stripe_count))
    count = usable.size() * (LayoutHeader::k_all_osts - header.stripe_count + 1U);
  else if ((header.pattern & LayoutHeader::k_overstriped) == 0)
    count = std::min(count, usable.size());
  header.stripe_count = static_cast<std::uint16_t>(count);
  auto at = static_cast<std::size_t>(std::find(usable.begin(), usable.end(), wanted_first) - usable.begin());
  if (at == usable.size()) at = first_ost;
  component.objects.assign(count, OstObject());
  for (auto& object : component.objects) object.ost_index = usable[at++ % usable.size()];
  return static_cast<std::uint16_t>(at % usable.size());
}

void name_components(Layout& layout) {
  std::uint32_t mirror = 0;
  std::uint32_t number = 0;
  for (auto& component : layout.components) {
    // Only files with several mirrors have the mirror in their components' ids.
    if (component.entry.start == 0 && layout.head.mirror_count > 0) ++mirror;
    component.entry.id = mirror << 16U | ++number;
  }
  layout.head.flags = layout.head.mirror_count > 0 ? 1 : 0;
  layout.head.generation = number;
}

void release(Layout& layout) {
  for (auto& component : layout.components) {
    if (!component.foreign.empty()) continue;
    component.header.pattern |= LayoutHeader::k_released;
    component.entry.flags |= CompositeEntry::k_init;
    if (layout.is_composite)
      component.objects.clear();
    else
      component.objects.assign(component.objects.size(), OstObject());
  }
  // The release itself was a change of the layout. No more is remembered of it.
  ++layout.head.generation;
  if (!layout.is_composite) ++layout.components.at(0).header.stripe_offset;
}

void grow(Layout& layout, std::uint64_t size, const OstMap& osts) {
  std::uint16_t next = 0;
  for (auto& component : layout.components) {
    if (!component.foreign.empty()) continue;
    if (!component.objects.empty()) next = static_cast<std::uint16_t>(component.objects.back().ost_index + 1U);
    const bool is_reached = component.entry.start < size && component.entry.start < component.entry.end;
    if ((component.entry.flags & (CompositeEntry::k_init | CompositeEntry::k_extension)) != 0 || !is_reached) continue;
    next = give_objects(component, osts, next);
    ++layout.head.generation;
  }
}

}  // namespace

Layout instantiated_layout(Layout wanted, const OstMap& osts, std::uint16_t first_ost) {
  if (!wanted.foreign.empty()) return wanted;
  for (auto& component : wanted.components) {
    if (!component.foreign.empty()) {
      component.entry.flags |= CompositeEntry::k_init;
      continue;
    }
    if (component.header.magic != LayoutHeader::k_specific) component.objects.clear();
    fill_in(component);
    if (!wanted.is_composite) {
      std::ignore = give_objects(component, osts, first_ost);
      component.entry.flags = 0;
      continue;
    }
    component.entry.flags &= CompositeEntry::k_prefer | CompositeEntry::k_extension | CompositeEntry::k_no_compression;
    component.entry.timestamp = 0;
    if (component.header.magic != LayoutHeader::k_specific) limit_to_extent(component);
    if (component.entry.start == 0) first_ost = give_objects(component, osts, first_ost);
  }
  if (wanted.is_composite) name_components(wanted);
  return wanted;
}

Layout layout_as_seen(Layout stored, const FileFacts& file, const OstMap& osts) {
  if (!stored.foreign.empty()) return stored;
  if (file.is_released)
    release(stored);
  else if (stored.is_composite)
    grow(stored, file.size, osts);
  std::uint64_t number = file.object * 64;
  for (auto& component : stored.components) {
    if (component.foreign.empty() && file.fid.seq != 0) {
      component.header.object_id = file.fid.oid;
      component.header.object_seq = file.fid.seq;
    }
    if (component.header.magic == LayoutHeader::k_specific) {
      // What was asked for shows only in the objects, once there are any.
      component.header.magic = LayoutHeader::k_v1;
      component.objects.clear();
    }
    if (!file.is_released)
      for (auto& object : component.objects) object.id = number++;
  }
  return stored;
}

Layout default_layout(const OstMap& osts, std::uint16_t first_ost) {
  Layout layout;
  layout.components.resize(1);
  layout.components[0].header.stripe_offset = LayoutHeader::k_any_ost;
  return instantiated_layout(std::move(layout), osts, first_ost);
}

}  // namespace lhsm::emulator
