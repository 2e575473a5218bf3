// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The layout of a file as "lustre.lov" shows it. An ordinary file system stripes nothing: the layout
// is only remembered, so that who archives can save it and who restores can set it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::emulator {

struct [[gnu::packed]] OstObject {
  std::uint64_t id = 0;
  std::uint64_t seq = 0;
  std::uint32_t generation = 0;
  std::uint32_t ost_index = 0;
};
static_assert(sizeof(OstObject) == 24);

/// lov_user_md_v1; in version 3 a pool name of 16 bytes follows, in both the objects.
struct [[gnu::packed]] LayoutHeader {
  std::uint32_t magic = k_v1;
  std::uint32_t pattern = k_raid0;
  std::uint64_t object_id = 0;
  std::uint64_t object_seq = 0;
  std::uint32_t stripe_size = 1U << 20U;
  std::uint16_t stripe_count = 1;
  std::uint16_t stripe_offset = 0;

  static constexpr std::uint32_t k_v1 = 0x0BD10BD0;
  static constexpr std::uint32_t k_v3 = 0x0BD30BD0;
  static constexpr std::uint32_t k_composite = 0x0BD60BD0;
  static constexpr std::uint32_t k_raid0 = 1;
  static constexpr std::uint32_t k_released = 0x80000000;
  static constexpr std::size_t k_pool_size = 16;
};
static_assert(sizeof(LayoutHeader) == 32);

inline constexpr std::uint16_t k_pretended_osts = 4;  ///< where no mount says how many

/// Return the layout of a file of which nobody set one: one stripe of 1 MiB.
[[nodiscard]] std::string default_layout();

/// Return the layout as it becomes a file's: counts and offsets that mean "choose" are chosen, with
/// an object per stripe. EINVAL for what is no layout.
Outcome<std::string> instantiated_layout(std::string_view wanted, std::uint16_t ost_count = k_pretended_osts);

/// Return the header of a plain layout, or an error for a composite one.
Outcome<LayoutHeader> layout_header(std::string_view layout);

/// Return a layout with the pattern's "released" flag set or cleared.
[[nodiscard]] std::string with_released_flag(std::string layout, bool released);

}  // namespace lhsm::emulator
