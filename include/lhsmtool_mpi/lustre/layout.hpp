// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lhsm::lustre {

/// Return the stripe size in bytes of a raw layout (xattr lustre.lov: plain V1/V3, or composite, of
/// which the largest one is taken), or 0 when it cannot be read. Never trusts an offset in it.
[[nodiscard]] std::uint64_t stripe_size_of(std::string_view lov);

/// Return the largest stripe count of its components, 65535 for all OSTs, or 0 when it cannot be read.
[[nodiscard]] std::uint32_t stripe_count_of(std::string_view lov);

/// Return whether the layout, or one component of it, says that the data are in an archive only. An empty one does not; nothing
/// is known from one that cannot be read, or of another kind.
[[nodiscard]] std::optional<bool> is_released(std::string_view lov);

/// Return whether a part of the data is known to be lost (LOV_PATTERN_F_HOLE, by LFSCK): to read it gives EIO, but to look for
/// holes (SEEK_DATA) says that nothing was ever there.
[[nodiscard]] bool has_lost_objects(std::string_view lov);

/// Return the layout that asks Lustre for its default stripe size and count, on any OSTs.
[[nodiscard]] std::string default_layout();

/// Return the layout as it can be given to a new file: a plain one, and each component that has its
/// objects, with any first OST. Where a wish for one stands in a new layout, one that was read has its
/// generation, which the new file would take for an OST. It is not released. Other layouts are returned as they are.
[[nodiscard]] std::string layout_for_new_file(std::string lov);

/// Return the layout with no pool named in it: for a file system that has not those pools.
[[nodiscard]] std::string layout_without_pools(std::string lov);

}  // namespace lhsm::lustre
