// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/row_source.hpp"

#include <algorithm>

#include "lhsmtool_mpi/bulk/row_walk.hpp"

namespace lhsm::bulk {

Outcome<std::optional<Row>> ManifestRows::next() {
  for (bool has_read = false;;) {
    while (m_at < m_slice.fid_seq.size()) {
      const std::size_t i = m_at++;
      if (m_slice.result[i] == store::ItemResult::pending) {
        Row row = row_of(m_slice, i, m_first);
        if (m_details == Details::yes)
          row.details = {std::string(m_slice.path(i)), m_slice.mtime[i], m_slice.uid[i], m_slice.gid[i], m_slice.projid[i], m_slice.links[i], m_slice.hsm_state[i]};
        return row;
      }
    }
    m_first += m_slice.fid_seq.size();
    m_at = 0;
    m_slice.clear();
    const std::uint64_t left = m_manifest.item_count() - m_first;
    m_at_end = left == 0;
    if (m_at_end || has_read) return std::nullopt;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, store::k_slice_rows));
    store::Columns columns = k_row_columns;
    if (m_details == Details::yes)
      for (const auto column : {store::Column::path, store::Column::mtime, store::Column::uid, store::Column::gid, store::Column::projid,
                                store::Column::links, store::Column::hsm_state})
        columns.add(column);
    LHSM_TRY(m_manifest.read(m_first, count, columns, m_slice));
    LHSM_TRY(m_state.overlay(m_first, m_slice));
    has_read = true;
  }
}

}  // namespace lhsm::bulk
