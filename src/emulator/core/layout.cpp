// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/layout.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace lhsm::emulator {
namespace {

template <class T>
bool read_at(std::string_view bytes, std::size_t at, T& value) {
  if (at > bytes.size() || bytes.size() - at < sizeof value) return false;
  std::memcpy(static_cast<void*>(&value), bytes.data() + at, sizeof value);
  return true;
}

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::uint32_t magic_of(std::string_view bytes) {
  std::uint32_t magic = 0;
  std::ignore = read_at(bytes, 0, magic);
  return magic;
}

Failure too_short() { return errno_error("layout", "lustre.lov", ERANGE); }
Failure unknown() { return errno_error("layout", "lustre.lov", EINVAL); }

/// Read header, pool and what there is of objects.
Outcome<Component> parse_component(std::string_view bytes) {
  Component component;
  if (!read_at(bytes, 0, component.header)) return too_short();
  std::size_t fixed = sizeof(LayoutHeader);
  switch (component.header.magic) {
    case LayoutHeader::k_v1: break;
    case LayoutHeader::k_v3:
    case LayoutHeader::k_specific: {
      fixed += LayoutHeader::k_pool_size;
      if (bytes.size() < fixed) return too_short();
      const auto pool = bytes.substr(sizeof(LayoutHeader), LayoutHeader::k_pool_size - 1);
      component.pool = pool.substr(0, pool.find('\0'));
      break;
    }
    default: return unknown();
  }
  // A wide count is no number of objects.
  std::size_t count = (bytes.size() - fixed) / sizeof(OstObject);
  if (component.header.stripe_count < LayoutHeader::k_all_osts_often)
    count = std::min<std::size_t>(count, component.header.stripe_count);
  else
    count = 0;
  if (component.header.magic == LayoutHeader::k_specific && count != component.header.stripe_count) return too_short();
  component.objects.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    std::ignore = read_at(bytes, fixed + i * sizeof(OstObject), component.objects[i]);
  return component;
}

Outcome<Layout> parse_composite(std::string_view bytes) {
  Layout layout;
  layout.is_composite = true;
  if (!read_at(bytes, 0, layout.head) || layout.head.size > bytes.size()) return too_short();
  bytes = bytes.substr(0, layout.head.size);
  for (std::size_t i = 0; i < layout.head.entry_count; ++i) {
    CompositeEntry entry;
    if (!read_at(bytes, sizeof layout.head + i * sizeof entry, entry)) return too_short();
    if (entry.offset > bytes.size() || entry.size > bytes.size() - entry.offset) return too_short();
    const auto blob = bytes.substr(entry.offset, entry.size);
    Component component;
    if (magic_of(blob) == LayoutHeader::k_foreign) {
      component.foreign = blob;
    } else {
      LHSM_TRY_ASSIGN(component, parse_component(blob));
    }
    component.entry = entry;
    layout.components.push_back(std::move(component));
  }
  return layout;
}

std::string pack_component(const Component& component) {
  if (!component.foreign.empty()) return component.foreign;
  std::string bytes;
  auto header = component.header;
  if (header.magic != LayoutHeader::k_specific)
    header.magic = component.pool.empty() ? LayoutHeader::k_v1 : LayoutHeader::k_v3;
  append(bytes, header);
  if (header.magic != LayoutHeader::k_v1) {
    std::string pool = component.pool;
    pool.resize(LayoutHeader::k_pool_size, '\0');
    pool.back() = '\0';
    bytes += pool;
  }
  for (const auto& object : component.objects) append(bytes, object);
  return bytes;
}

}  // namespace

Outcome<Layout> parse_layout(std::string_view bytes) {
  if (bytes.size() < sizeof(std::uint32_t)) return too_short();
  switch (magic_of(bytes)) {
    case LayoutHeader::k_composite: return parse_composite(bytes);
    case LayoutHeader::k_foreign: {
      Layout layout;
      layout.foreign = bytes;
      return layout;
    }
    default: {
      Layout layout;
      LHSM_TRY_ASSIGN(Component component, parse_component(bytes));
      layout.components.push_back(std::move(component));
      return layout;
    }
  }
}

std::string pack_layout(const Layout& layout) {
  if (!layout.foreign.empty()) return layout.foreign;
  if (!layout.is_composite) return layout.components.empty() ? std::string() : pack_component(layout.components[0]);
  auto head = layout.head;
  head.entry_count = static_cast<std::uint16_t>(layout.components.size());
  std::string entries;
  std::string blobs;
  const auto begin = sizeof head + layout.components.size() * sizeof(CompositeEntry);
  for (const auto& component : layout.components) {
    const auto blob = pack_component(component);
    auto entry = component.entry;
    entry.offset = static_cast<std::uint32_t>(begin + blobs.size());
    entry.size = static_cast<std::uint32_t>(blob.size());
    append(entries, entry);
    blobs += blob;
  }
  head.size = static_cast<std::uint32_t>(begin + blobs.size());
  std::string bytes;
  append(bytes, head);
  return bytes + entries + blobs;
}

std::uint64_t dom_size_of(std::string_view bytes) {
  CompositeEntry first;
  LayoutHeader header;
  if (magic_of(bytes) != LayoutHeader::k_composite || !read_at(bytes, sizeof(CompositeHeader), first)) return 0;
  if (!read_at(bytes, first.offset, header) || header.magic == LayoutHeader::k_foreign) return 0;
  return (header.pattern & LayoutHeader::k_mdt) != 0 ? first.end : 0;
}

std::uint32_t generation_of(std::string_view bytes) {
  LayoutHeader header;
  CompositeHeader head;
  if (magic_of(bytes) == LayoutHeader::k_composite) return read_at(bytes, 0, head) ? head.generation : 0;
  if (magic_of(bytes) == LayoutHeader::k_foreign) return 0;
  return read_at(bytes, 0, header) ? header.stripe_offset : 0;
}

std::string with_generation(std::string bytes, std::uint32_t generation) {
  const auto magic = magic_of(bytes);
  if (magic == LayoutHeader::k_composite && bytes.size() >= sizeof(CompositeHeader)) {
    std::memcpy(bytes.data() + offsetof(CompositeHeader, generation), &generation, sizeof generation);
  } else if (magic != LayoutHeader::k_foreign && bytes.size() >= sizeof(LayoutHeader)) {
    const auto part = static_cast<std::uint16_t>(generation);
    std::memcpy(bytes.data() + offsetof(LayoutHeader, stripe_offset), &part, sizeof part);
  }
  return bytes;
}

}  // namespace lhsm::emulator
