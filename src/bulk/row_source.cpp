// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/row_source.hpp"

#include <algorithm>

#include "lhsmtool_mpi/bulk/row_walk.hpp"

namespace lhsm::bulk {

ManifestRows::ManifestRows(store::ManifestReader& manifest, const store::JournalState& state, Selection selection)
    : m_manifest(manifest), m_state(state), m_selection(selection) {}

Outcome<std::optional<Row>> ManifestRows::next() {
  for (;;) {
    while (m_at < m_slice.fid_seq.size()) {
      const std::size_t i = m_at++;
      if (is_selected(m_slice.result[i], m_selection)) return row_of(m_slice, i, m_first);
    }
    m_first += m_slice.fid_seq.size();
    m_at = 0;
    const std::uint64_t left = m_manifest.item_count() - m_first;
    if (left == 0) {
      m_slice.clear();
      m_at_end = true;
      return std::nullopt;
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, store::k_slice_rows));
    LHSM_TRY(m_manifest.read(m_first, count, k_row_columns, m_slice));
    LHSM_TRY(m_state.overlay(m_first, m_slice));
  }
}

}  // namespace lhsm::bulk
