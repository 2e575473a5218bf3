// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a metadata server does with layouts: which it takes, and what becomes of them when a file gets
// one and when it grows. An ordinary file system stripes nothing: a layout is only remembered, so that
// who archives can save it and who restores can set it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cluster_state.hpp"
#include "core/layout.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

inline constexpr std::uint32_t k_default_stripe_size = 4U << 20U;

/// The OSTs there are, and the pools of them.
struct OstMap {
  std::uint16_t count = k_default_osts;
  std::function<std::optional<std::vector<std::uint16_t>>(std::string_view pool)> pool = [](std::string_view) {
    return std::nullopt;
  };
};

/// Look at what a user wants as the layout of a file or directory. EINVAL with Lustre's rules: extents
/// adjacent from 0 on and aligned, stripe sizes multiples of 64 KiB, MDT components first and without
/// stripes, OSTs that exist. ENODEV: one of the chosen OSTs does not exist.
Status check_layout(const Layout& wanted, const OstMap& osts);

/// Return a checked layout as it becomes a file's: what means "choose" is chosen in the components that
/// begin at 0, with an object per stripe, the first on `first_ost` unless the layout says where. The
/// other components wait for the file to grow.
[[nodiscard]] Layout instantiated_layout(Layout wanted, const OstMap& osts, std::uint16_t first_ost);

/// What else decides how a file's layout looks.
struct FileFacts {
  std::uint64_t size = 0;
  bool is_released = false;
  Fid fid;                   ///< insane: not known
  std::uint64_t object = 0;  ///< number from which the objects' ids are made
};

/// Return a file's layout as Lustre would show it now: components that the file's size has reached have
/// objects; a released file has none, and "released" in all patterns.
[[nodiscard]] Layout layout_as_seen(Layout stored, const FileFacts& file, const OstMap& osts);

/// Return what a file gets where nobody said anything: one stripe of 4 MiB, on `first_ost`.
[[nodiscard]] Layout default_layout(const OstMap& osts, std::uint16_t first_ost);

/// Return whether a layout for a directory says nothing, which takes away the one it has.
[[nodiscard]] bool is_empty_default(const Layout& wanted);

}  // namespace lhsm::emulator
