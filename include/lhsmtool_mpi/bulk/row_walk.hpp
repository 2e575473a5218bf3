// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <functional>

#include "lhsmtool_mpi/store/job_files.hpp"

namespace lhsm::bulk {

/// Call `visit(first row, slice)` for all rows in their order, the journal's results put over the manifest's. Ends with the
/// first error.
inline Status for_each_slice(store::ManifestReader& manifest, const store::JournalState& state, store::Columns columns,
                             const std::function<Status(std::uint64_t, const store::ItemSlice&)>& visit) {
  store::ItemSlice slice;
  for (std::uint64_t first = 0; first < manifest.item_count();) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(manifest.item_count() - first, store::k_slice_rows));
    LHSM_TRY(manifest.read(first, count, columns, slice));
    LHSM_TRY(state.overlay(first, slice));
    LHSM_TRY(visit(first, slice));
    first += count;
  }
  return {};
}

/// Whether an item with that result belongs into the list of what failed.
inline bool is_unsuccessful(store::ItemResult result) {
  return result == store::ItemResult::failed || result == store::ItemResult::refused ||
         result == store::ItemResult::cancelled;
}

}  // namespace lhsm::bulk
