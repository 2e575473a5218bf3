// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a manifest holds beside its items: attributes, volumes, runs. Small, so written and read at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hdf5_handles.hpp"
#include "lhsmtool_mpi/store/item.hpp"

namespace lhsm::store {

struct ManifestHead {
  ManifestIdentity identity;
  ManifestAttributes attributes;
  std::uint64_t item_count = 0;
};

// False: the reason is with the library (hdf5_error).
[[nodiscard]] bool write_head(hid_t file, const ManifestHead& head);
[[nodiscard]] bool read_head(hid_t file, ManifestHead& head);  ///< all but the identity
[[nodiscard]] bool write_volumes(hid_t file, const std::vector<std::string>& volumes);
[[nodiscard]] bool read_volumes(hid_t file, std::vector<std::string>& volumes);
[[nodiscard]] bool write_runs(hid_t file, const std::vector<RunRecord>& runs);
[[nodiscard]] bool read_runs(hid_t file, std::vector<RunRecord>& runs);

}  // namespace lhsm::store
