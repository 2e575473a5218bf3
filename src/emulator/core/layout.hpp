// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The bytes of a layout as "lustre.lov" holds them: one stripe pattern (version 1, or 3 with a pool),
// or a composite of components, each with an extent of the file and a pattern of its own. What is read
// is checked for its sizes only; what a layout may say is the business of client/layout.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::emulator {

struct [[gnu::packed]] OstObject {
  std::uint64_t id = 0;
  std::uint64_t seq = 0;
  std::uint32_t generation = 0;
  std::uint32_t ost_index = 0;
};
static_assert(sizeof(OstObject) == 24);

/// lov_user_md_v1; in version 3, and in one with chosen OSTs, a pool name of 16 bytes follows, in all
/// of them the objects.
struct [[gnu::packed]] LayoutHeader {
  std::uint32_t magic = k_v1;
  std::uint32_t pattern = k_raid0;
  std::uint64_t object_id = 0;
  std::uint64_t object_seq = 0;
  std::uint32_t stripe_size = 0;    ///< 0: the file system's
  std::uint16_t stripe_count = 0;   ///< 0: the file system's
  std::uint16_t stripe_offset = 0;  ///< first OST; once there are objects, the layout's generation

  static constexpr std::uint32_t k_v1 = 0x0BD10BD0;
  static constexpr std::uint32_t k_v3 = 0x0BD30BD0;
  static constexpr std::uint32_t k_specific = 0x0BD50BD0;
  static constexpr std::uint32_t k_composite = 0x0BD60BD0;
  static constexpr std::uint32_t k_foreign = 0x0BD70BD0;
  static constexpr std::uint32_t k_raid0 = 0x1;
  static constexpr std::uint32_t k_mdt = 0x100;
  static constexpr std::uint32_t k_overstriped = 0x200;
  static constexpr std::uint32_t k_released = 0x80000000;
  static constexpr std::uint16_t k_any_ost = 0xffff;
  static constexpr std::uint16_t k_all_osts = 0xffff;  ///< as a count
  static constexpr std::uint16_t k_all_osts_often =
      0xffe0;  ///< as a count: this to k_all_osts mean "32 times" to "once"
  static constexpr std::uint32_t k_min_stripe = 65536;
  static constexpr std::size_t k_pool_size = 16;
};
static_assert(sizeof(LayoutHeader) == 32);

/// lov_comp_md_v1.
struct [[gnu::packed]] CompositeHeader {
  std::uint32_t magic = LayoutHeader::k_composite;
  std::uint32_t size = 0;
  std::uint32_t generation = 0;
  std::uint16_t flags = 0;
  std::uint16_t entry_count = 0;
  std::uint16_t mirror_count = 0;  ///< mirrors besides the first
  std::uint8_t code_count = 0;
  std::uint8_t padding[13] = {};
};
static_assert(sizeof(CompositeHeader) == 32);

/// lov_comp_md_entry_v1.
struct [[gnu::packed]] CompositeEntry {
  std::uint32_t id = 0;
  std::uint32_t flags = 0;
  std::uint64_t start = 0;
  std::uint64_t end = k_eof;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  std::uint32_t generation = 0;
  std::uint64_t timestamp = 0;
  std::uint32_t code_and_compression = 0;

  static constexpr std::uint64_t k_eof = ~std::uint64_t{0};
  static constexpr std::uint32_t k_prefer = 0x6;
  static constexpr std::uint32_t k_init = 0x10;  ///< has its objects
  static constexpr std::uint32_t k_no_sync = 0x20;
  static constexpr std::uint32_t k_extension = 0x40;
  static constexpr std::uint32_t k_no_compression = 0x400;
  static constexpr std::uint32_t k_negated = 0x80000000;
};
static_assert(sizeof(CompositeEntry) == 48);

struct Component {
  CompositeEntry entry;  ///< of a plain layout: the whole file
  LayoutHeader header;
  std::string pool;
  std::vector<OstObject> objects;
  std::string foreign;  ///< all bytes of a component of another kind, which is kept as it is

  [[nodiscard]] bool is_mdt() const { return foreign.empty() && (header.pattern & LayoutHeader::k_mdt) != 0; }
};

struct Layout {
  bool is_composite = false;
  CompositeHeader head;
  std::vector<Component> components;
  std::string foreign;  ///< all bytes of a layout of another kind; then there are no components
};

/// Take a layout apart. ERANGE: shorter than it says; EINVAL: of no known kind.
Outcome<Layout> parse_layout(std::string_view bytes);

/// Put it together again. Offsets and sizes are computed; the magic of a component follows from its
/// pool, but "specific" stays.
[[nodiscard]] std::string pack_layout(const Layout& layout);

// What the daemon needs to know of a layout when data change hands, read from the bytes. Of what is no
// layout: 0, and the bytes as they are.
[[nodiscard]] std::uint64_t dom_size_of(std::string_view bytes);
[[nodiscard]] std::uint32_t generation_of(std::string_view bytes);
[[nodiscard]] std::string with_generation(std::string bytes, std::uint32_t generation);

}  // namespace lhsm::emulator
