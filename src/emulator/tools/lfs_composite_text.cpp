// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdio>
#include <ctime>
#include <string>

#include "tools/layout_text.hpp"

namespace lhsm::emulator {

// lfs_layout_text.cpp
void print_pattern(const Component& component, const LayoutText& text, bool is_indented, bool has_objects);

namespace {

constexpr std::uint32_t k_show_of_components = k_show_component_count | k_show_component_id | k_show_component_start |
                                               k_show_component_end | k_show_component_flags;

bool is_initialised(const Component& component) { return (component.entry.flags & CompositeEntry::k_init) != 0; }

std::string flags_text(std::uint32_t flags) {
  static constexpr std::pair<std::uint32_t, const char*> names[] = {
      {0x10, "init"},   {0x1, "stale"},      {0x6, "prefer"},    {0x2, "prefrd"},
      {0x4, "prefwr"},  {0x8, "offline"},    {0x20, "nosync"},   {0x40, "extension"},
      {0x80, "parity"}, {0x100, "compress"}, {0x200, "partial"}, {0x400, "nocompr"}};
  if (flags == 0) return "0";
  std::string text;
  for (const auto& [flag, name] : names) {
    if ((flags & flag) != flag) continue;
    text += (text.empty() ? "" : ",") + std::string(name);
    flags &= ~flag;
  }
  if (flags != 0) {
    char number[16];
    std::snprintf(number, sizeof number, "%#x", flags);
    text += (text.empty() ? "" : ",") + std::string(number);
  }
  return text;
}

const char* mirror_state(std::uint16_t flags) {
  switch (flags & 0xbU) {
    case 1: return "ro";
    case 2: return "wp";
    case 3: return "sp";
    default: return "0";
  }
}

class CompositePrinter {
 public:
  CompositePrinter(const Layout& layout, const LayoutText& text) : m_layout(layout), m_text(text) {}

  void print() {
    print_header();
    const bool has_filter = m_text.only_id || m_text.only_end || m_text.only_flags;
    if ((m_text.shown & k_show_all) == k_show_all || has_filter) {
      for (const auto& component : m_layout.components)
        if (is_wanted(component)) print_component(component, m_text.is_directory ? false : is_initialised(component));
      return;
    }
    // Of single things, those of the last component that has objects; of a directory's, of the last.
    std::size_t i = 0;
    while (i < m_layout.components.size() && is_initialised(m_layout.components[i])) ++i;
    print_component(m_layout.components[i == 0 ? m_layout.components.size() - 1 : i - 1], true);
  }

 private:
  [[nodiscard]] bool shows(std::uint32_t what) const { return (m_text.shown & what) != 0; }

  [[nodiscard]] bool is_wanted(const Component& component) const {
    const auto& entry = component.entry;
    if (m_text.only_id && entry.id != *m_text.only_id) return false;
    if (m_text.only_end && entry.end != *m_text.only_end) return false;
    return !m_text.only_flags || ((entry.flags & m_text.only_flags->first) == m_text.only_flags->first &&
                                  (entry.flags & m_text.only_flags->second) == 0);
  }

  void field(std::uint32_t what, const char* name) const {
    if ((m_text.shown & ~what) != 0) std::printf("  %s", name);
  }

  void print_header() const {
    const auto& head = m_layout.head;
    if (m_text.has_paths && (m_text.shown != k_show_objects || !m_text.is_directory)) std::printf("%s\n", m_text.path);
    if (shows(k_show_detail)) {
      std::printf("composite_header:\n%2slcm_magic:         0x%08X\n%2slcm_size:          %u\n", " ",
                  static_cast<unsigned>(head.magic), " ", static_cast<unsigned>(pack_layout(m_layout).size()));
      std::printf("%2slcm_flags:         %s\n", " ",
                  !m_text.is_directory    ? mirror_state(head.flags)
                  : head.mirror_count > 0 ? "mirrored"
                                          : "");
    }
    // A plain layout counts as one of no components.
    if (shows(k_show_generation)) {
      field(k_show_generation, "lcm_layout_gen:    ");
      std::printf("%u\n", static_cast<unsigned>(head.generation));
    }
    if (shows(k_show_mirror_count)) {
      field(k_show_mirror_count, "lcm_mirror_count:  ");
      std::printf("%u\n", m_layout.is_composite ? head.mirror_count + 1U : 1U);
    }
    if (shows(k_show_component_count)) {
      field(k_show_component_count, "lcm_entry_count:   ");
      std::printf("%zu\n", m_layout.is_composite ? m_layout.components.size() : 0);
    }
    if (shows(k_show_detail)) std::printf("components:\n");
  }

  void entry_field(std::uint32_t what, const char* name, const std::string& value, const char* indent = "    ") {
    if (!shows(what)) return;
    std::printf("%s", m_separator);
    if ((m_text.shown & ~what) != 0) std::printf("%s%s", indent, name);
    std::printf("%s", value.c_str());
    m_separator = "\n";
  }

  void print_component(const Component& component, bool has_objects) {
    const auto& entry = component.entry;
    const std::uint32_t id = entry.id;
    m_separator = "";
    entry_field(k_show_component_id, "lcme_id:             ", id != 0 ? std::to_string(id) : "N/A",
                shows(k_show_detail) ? "  - " : "    ");
    entry_field(k_show_mirror_id, "lcme_mirror_id:      ", id != 0 ? std::to_string(id >> 16U & 0x7fffU) : "N/A");
    entry_field(k_show_component_flags, "lcme_flags:          ", flags_text(entry.flags));
    if ((entry.flags & CompositeEntry::k_no_sync) != 0) {
      const auto stamp = static_cast<std::time_t>(entry.timestamp);
      std::string date(std::asctime(std::localtime(&stamp)));
      date.back() = '\'';
      entry_field(k_show_component_flags, "lcme_timestamp:      ", "'" + date);
    }
    entry_field(k_show_component_start, "lcme_extent.e_start: ", std::to_string(entry.start));
    entry_field(k_show_component_end,
                "lcme_extent.e_end:   ", entry.end == CompositeEntry::k_eof ? "EOF" : std::to_string(entry.end));
    std::printf("%s", m_separator);
    if (shows(k_show_detail))
      std::printf("%4slcme_offset:         %u\n%4slcme_size:           %u\n%4ssub_layout:\n", " ",
                  static_cast<unsigned>(entry.offset), " ", static_cast<unsigned>(entry.size), " ");
    if (component.foreign.empty())
      print_pattern(component, m_text, true, has_objects);
    else
      std::printf("      lhm_magic:         0x%08X\n      lhm_pattern:       hsm\n",
                  static_cast<unsigned>(LayoutHeader::k_foreign));
  }

  const Layout& m_layout;
  const LayoutText& m_text;
  const char* m_separator = "";
};

/// Return whether what is asked for is about components, so that a plain layout is shown as one.
bool asks_for_components(const LayoutText& text) {
  if (text.only_id || text.only_end || text.only_flags) return true;
  return (text.shown & ~std::uint32_t{k_show_detail}) != k_show_all && (text.shown & k_show_of_components) != 0;
}

}  // namespace

void print_layout(const Layout& layout, const LayoutText& text) {
  if (!layout.foreign.empty()) {
    std::printf("%s\nlfm_magic:         0x%08X\n\n", text.path, static_cast<unsigned>(LayoutHeader::k_foreign));
    return;
  }
  // Offsets and sizes of components follow from its parts.
  Layout packed = parse_layout(pack_layout(layout)).value_or(layout);
  if (!packed.is_composite && asks_for_components(text) && !text.is_directory)
    packed.components[0].entry.flags |= CompositeEntry::k_init;
  if (packed.is_composite || asks_for_components(text))
    CompositePrinter(packed, text).print();
  else
    print_pattern(packed.components[0], text, false, true);
}

}  // namespace lhsm::emulator
