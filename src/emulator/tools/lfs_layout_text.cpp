// SPDX-License-Identifier: LGPL-2.1-or-later
#include <array>
#include <cstdio>
#include <string>

#include "client/layout.hpp"
#include "tools/layout_text.hpp"

namespace lhsm::emulator {
namespace {

/// Which of a layout's patterns is printed, and how.
struct Manner {
  bool is_indented = false;  ///< a component's
  bool has_objects = true;   ///< or may not have them yet
  bool is_extension = false;
};

const char* pattern_name(std::uint32_t pattern) {
  if ((pattern & LayoutHeader::k_released) != 0) return "released";
  if (pattern == LayoutHeader::k_mdt) return "mdt";
  if (pattern == LayoutHeader::k_raid0) return "raid0";
  if (pattern == (LayoutHeader::k_raid0 | LayoutHeader::k_overstriped)) return "raid0,overstriped";
  return "unknown";
}

class PatternPrinter {
 public:
  PatternPrinter(const Component& component, const LayoutText& text, const Manner& manner)
      : m_component(component), m_header(component.header), m_text(text), m_manner(manner) {}

  void print() {
    print_top();
    print_fields();
    if (!m_separator.empty()) std::printf("\n");
    if (shows(k_show_objects) && m_manner.has_objects) print_objects();
    std::printf("\n");
  }

 private:
  [[nodiscard]] bool shows(std::uint32_t what) const { return (m_text.shown & what) != 0; }
  [[nodiscard]] const char* space() const { return m_manner.is_indented ? "      " : ""; }
  [[nodiscard]] const char* prefix() const { return m_text.is_directory ? "" : "lmm_"; }
  [[nodiscard]] bool is_released() const { return (m_header.pattern & LayoutHeader::k_released) != 0; }

  void print_top() {
    const bool is_default = m_header.object_seq == ~std::uint64_t{0};
    const std::uint64_t id = m_header.object_id;
    const std::uint64_t seq = is_default ? 0 : m_header.object_seq;
    if (m_text.is_directory && is_default && !m_manner.is_indented && shows(k_show_detail)) std::printf("(Default) ");
    if (!m_manner.is_indented && m_text.has_paths && (m_text.shown != k_show_objects || !m_text.is_directory))
      std::printf("%s\n", m_text.path);
    if (shows(k_show_detail) && !m_text.is_directory) {
      std::printf("%s%smagic:         0x%08X\n", space(), prefix(), static_cast<unsigned>(m_header.magic));
      std::printf("%s%sseq:           %#jx\n", space(), prefix(), static_cast<std::uintmax_t>(seq));
      std::printf("%s%sobject_id:     %#jx\n", space(), prefix(), static_cast<std::uintmax_t>(id));
    }
    if (shows(k_show_detail | k_show_fid)) {
      if ((m_text.shown & ~std::uint32_t{k_show_fid}) != 0) std::printf("%slmm_fid:           ", space());
      const Fid fid = m_text.is_directory ? m_text.directory_fid
                      : seq == 0          ? Fid{id, 0, static_cast<std::uint32_t>(id >> 32U)}
                                 : Fid{seq, static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id >> 32U)};
      std::printf("%s\n", fid.bracketed().c_str());
    }
  }

  /// Begin a field: the separator to the one before, and its name unless it is all that is asked for.
  void begin(std::uint32_t what, const char* name) {
    std::printf("%s", m_separator.c_str());
    if ((m_text.shown & ~what) != 0) std::printf("%s%s%s", space(), prefix(), name);
    m_separator = m_text.is_directory ? " " : "\n";
  }

  void print_fields() {
    const bool is_mdt = m_component.is_mdt();
    const bool means_default = m_text.is_directory && !m_text.is_raw;
    if (shows(k_show_count)) {
      begin(k_show_count, "stripe_count:  ");
      const int count = static_cast<std::int16_t>(m_header.stripe_count);
      std::printf("%d", m_manner.is_extension ? 0 : means_default && count == 0 && !is_mdt ? 1 : count);
    }
    if (shows(m_manner.is_extension ? k_show_extension_size : k_show_size)) {
      if (m_manner.is_extension)
        begin(k_show_extension_size, "extension_size: ");
      else
        begin(k_show_size, "stripe_size:   ");
      const std::uint64_t size = m_header.stripe_size;
      std::printf("%llu", static_cast<unsigned long long>(m_manner.is_extension        ? size * 1024
                                                          : means_default && size == 0 ? k_default_stripe_size
                                                                                       : size));
    }
    if (shows(k_show_pattern)) {
      begin(k_show_pattern, "pattern:       ");
      std::printf("%s", pattern_name(m_header.pattern));
    }
    if (shows(k_show_generation) && !m_text.is_directory) {
      begin(k_show_generation, "layout_gen:    ");
      std::printf("%u", m_manner.has_objects ? static_cast<unsigned>(m_header.stripe_offset) : 0U);
    }
    if (shows(k_show_offset)) {
      begin(k_show_offset, "stripe_offset: ");
      print_offset(is_mdt);
    }
    if (shows(k_show_pool) && !m_component.pool.empty()) {
      begin(k_show_pool, "pool:          ");
      std::printf("%s", m_component.pool.c_str());
    }
  }

  void print_offset(bool is_mdt) const {
    if (m_text.is_directory || !m_manner.has_objects) {
      const int offset = static_cast<std::int16_t>(m_header.stripe_offset);
      std::printf("%d", offset == -1 ? -1 : static_cast<int>(m_header.stripe_offset));
    } else if (is_mdt || m_component.objects.empty()) {
      std::printf("0");
    } else {
      std::printf("%d", static_cast<int>(m_component.objects[0].ost_index));
    }
  }

  void print_objects() const {
    const bool lists_osts = m_text.is_directory && m_header.magic == LayoutHeader::k_specific;
    const bool has_objects = !m_text.is_directory && !is_released() && !m_component.is_mdt();
    if (!lists_osts && !has_objects) return;
    if (m_manner.is_indented)
      std::printf("%6slmm_objects:\n", " ");
    else
      std::printf("\tobdidx\t\t objid\t\t objid\t\t group\n");
    unsigned number = 0;
    for (const auto& object : m_component.objects) {
      const std::uint32_t index = object.ost_index;
      const unsigned long long id = object.id;
      if (m_manner.is_indented) {
        // The FID of an object in the sequence of the first MDT.
        const Fid fid{0x100000000ULL | std::uint64_t{index} << 16U | (id >> 32U & 0xffffU),
                      static_cast<std::uint32_t>(id), 0};
        std::printf("      - %3u: { l_ost_idx: %3u, l_fid: %s }\n", number++, index, fid.bracketed().c_str());
      } else if (m_text.is_directory) {
        std::printf("\t%6u\t%14s\t%13s\t%14s\n", index, "N/A", "N/A", "N/A");
      } else {
        std::printf("\t%6u\t%14llu\t%#13llx\t%14llu\n", index, id, id, static_cast<unsigned long long>(object.seq));
      }
    }
  }

  const Component& m_component;
  LayoutHeader m_header;
  const LayoutText& m_text;
  Manner m_manner;
  std::string m_separator;
};

}  // namespace

void print_pattern(const Component& component, const LayoutText& text, bool is_indented, bool has_objects) {
  const bool is_extension = (component.entry.flags & CompositeEntry::k_extension) != 0;
  PatternPrinter(component, text, {is_indented, has_objects, is_extension}).print();
}

}  // namespace lhsm::emulator
