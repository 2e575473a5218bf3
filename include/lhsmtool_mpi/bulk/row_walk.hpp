// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <functional>

#include "lhsmtool_mpi/bulk/row_source.hpp"
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

/// What a Row is made of.
inline constexpr store::Columns k_row_columns{store::Column::fid_seq,   store::Column::fid_oid, store::Column::fid_ver,
                                              store::Column::mdt_index, store::Column::result,  store::Column::attempts,
                                              store::Column::first_start, store::Column::size};

/// Return row `i` of a slice that begins with row `first` of the manifest.
inline Row row_of(const store::ItemSlice& slice, std::size_t i, std::uint64_t first) {
  return {first + i,
          {slice.fid_seq[i], slice.fid_oid[i], slice.fid_ver[i]},
          slice.mdt_index[i],
          slice.attempts[i],
          slice.first_start[i],
          slice.size[i],
          k_no_group,
          {}};
}

}  // namespace lhsm::bulk
