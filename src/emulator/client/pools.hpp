// SPDX-License-Identifier: LGPL-2.1-or-later
//
// OST pools: names for sets of the pretended OSTs, kept in the mount as files with an index a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/mount.hpp"

namespace lhsm::emulator {

inline constexpr const char* k_pools_dir = ".lustre/pools";

/// Return whether this is a name that Lustre takes: 1 to 15 letters, digits, '-' or '_'.
[[nodiscard]] bool is_pool_name(std::string_view name);
/// Return whether a layout's pool name means "none" or "the parent's" and needs no pool.
[[nodiscard]] bool is_reserved_pool(std::string_view name);

[[nodiscard]] std::vector<std::string> pool_names(const Mount& mount);
/// Return the OSTs of a pool, nothing when there is no such pool.
[[nodiscard]] std::optional<std::vector<std::uint16_t>> pool_members(const Mount& mount, std::string_view name);

/// Make a pool. EEXIST, EINVAL.
Status make_pool(const Mount& mount, std::string_view name);
/// Remove a pool. ENOENT; ENOTEMPTY while there are OSTs in it.
Status remove_pool(const Mount& mount, std::string_view name);
/// Set the OSTs of a pool. ENOENT.
Status set_pool_members(const Mount& mount, std::string_view name, const std::vector<std::uint16_t>& osts);

/// Return "lustre-OST0003_UUID".
[[nodiscard]] std::string ost_uuid(const Mount& mount, std::uint16_t index);
/// Read "lustre-OST0003", "OST0003", with or without "_UUID"; nothing for what is no OST of the mount.
[[nodiscard]] std::optional<std::uint16_t> ost_index(const Mount& mount, std::string_view name);

}  // namespace lhsm::emulator
