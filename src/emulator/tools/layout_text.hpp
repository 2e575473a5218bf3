// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Layouts as `lfs getstripe` of Lustre 2.16 prints them: scripts read these lines by their words.
#pragma once

#include <cstdint>
#include <optional>

#include "core/layout.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

/// What is printed. One thing alone is printed without its name.
enum Shown : std::uint32_t {
  k_show_count = 0x1,
  k_show_size = 0x2,
  k_show_offset = 0x4,
  k_show_pool = 0x8,
  k_show_detail = 0x10,
  k_show_objects = 0x20,
  k_show_generation = 0x40,
  k_show_pattern = 0x100,
  k_show_component_count = 0x200,
  k_show_component_flags = 0x400,
  k_show_component_start = 0x800,
  k_show_component_end = 0x1000,
  k_show_component_id = 0x2000,
  k_show_fid = 0x4000,
  k_show_mirror_count = 0x10000,
  k_show_mirror_id = 0x20000,
  k_show_extension_size = 0x40000,
  k_show_all = 0x1 | 0x2 | 0x4 | 0x8 | 0x20 | 0x40 | 0x100 | 0x200 | 0x400 | 0x800 | 0x1000 | 0x2000 | 0x10000 |
               0x20000 | 0x40000,
};

struct LayoutText {
  std::uint32_t shown = k_show_all;
  bool is_raw = false;    ///< of directories: what is stored, not what it means
  bool has_paths = true;  ///< a line with the path first
  bool is_directory = false;
  const char* path = "";
  Fid directory_fid;
  std::optional<std::uint32_t> only_id;                               ///< of the components
  std::optional<std::uint64_t> only_end;                              ///< of the components
  std::optional<std::pair<std::uint32_t, std::uint32_t>> only_flags;  ///< those set, those not set
};

void print_layout(const Layout& layout, const LayoutText& text);

}  // namespace lhsm::emulator
