// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Layouts to test with, made the way a program does that knows only the structures.
#pragma once

#include <string>
#include <vector>

#include "core/layout.hpp"

namespace lhsm::emulator {

inline constexpr std::uint64_t k_mib = 1U << 20U;

inline Component stripes(std::uint16_t count, std::uint32_t size, const std::string& pool = {}) {
  Component component;
  component.header.stripe_count = count;
  component.header.stripe_size = size;
  component.header.stripe_offset = LayoutHeader::k_any_ost;
  component.pool = pool;
  return component;
}

inline Component part(std::uint64_t start, std::uint64_t end, Component component) {
  component.entry.start = start;
  component.entry.end = end;
  return component;
}

inline Component mdt_part(std::uint64_t end) {
  auto component = part(0, end, stripes(0, static_cast<std::uint32_t>(end)));
  component.header.pattern = LayoutHeader::k_mdt;
  return component;
}

inline Layout plain(const Component& component) {
  Layout layout;
  layout.components.push_back(component);
  return layout;
}

inline Layout composite(const std::vector<Component>& components) {
  Layout layout;
  layout.is_composite = true;
  layout.components = components;
  return layout;
}

inline Layout on_osts(const std::vector<std::uint32_t>& osts) {
  auto component = stripes(static_cast<std::uint16_t>(osts.size()), k_mib);
  component.header.magic = LayoutHeader::k_specific;
  for (const auto index : osts) {
    OstObject object;
    object.ost_index = index;
    component.objects.push_back(object);
  }
  return plain(component);
}

/// 1 MiB on the MDT, 16 MiB on two OSTs, the rest on all.
inline Layout three_parts() {
  return composite({mdt_part(k_mib), part(k_mib, 16 * k_mib, stripes(2, k_mib)),
                    part(16 * k_mib, CompositeEntry::k_eof, stripes(LayoutHeader::k_all_osts, 4 * k_mib))});
}

}  // namespace lhsm::emulator
