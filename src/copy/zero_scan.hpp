// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lhsmtool_mpi/base/extent.hpp"

namespace lhsm::copy {

/// What a hole is counted in: 4 KiB blocks of the file.
inline constexpr std::size_t k_hole_block = 4096;

/// Return whether any 4 KiB block of the file that lies in `bytes` (at `offset`) is all zeros; parts
/// of blocks at the two ends count too.
[[nodiscard]] bool has_zero_block(std::span<const std::byte> bytes, std::uint64_t offset);

/// Return the runs of blocks that are not all zeros, as ranges of the file.
[[nodiscard]] std::vector<Extent> nonzero_runs(std::span<const std::byte> bytes, std::uint64_t offset);

}  // namespace lhsm::copy
