// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/row_source.hpp"

#include <algorithm>

namespace lhsm::bulk {

using store::Column;
using store::ItemResult;

namespace {

constexpr store::Columns k_columns{Column::fid_seq, Column::fid_oid,  Column::fid_ver,
                                   Column::mdt_index, Column::result, Column::attempts, Column::first_start,
                                   Column::size};

}  // namespace

RowSource::RowSource(store::ManifestReader& manifest, const store::JournalState& state, Selection selection)
    : m_manifest(manifest), m_state(state), m_selection(selection) {}

bool RowSource::is_selected(ItemResult result) const {
  if (result == ItemResult::pending) return true;
  return m_selection == Selection::pending_and_failed &&
         (result == ItemResult::failed || result == ItemResult::refused || result == ItemResult::cancelled);
}

Outcome<std::optional<Row>> RowSource::next() {
  for (;;) {
    for (; m_at < m_slice.fid_seq.size(); ++m_at) {
      const std::size_t i = m_at;
      if (!is_selected(m_slice.result[i])) continue;
      ++m_at;
      const bool anew = m_slice.result[i] != ItemResult::pending;
      return Row{m_first + i,
                 {m_slice.fid_seq[i], m_slice.fid_oid[i], m_slice.fid_ver[i]},
                 m_slice.mdt_index[i],
                 anew ? 0 : m_slice.attempts[i],
                 m_slice.first_start[i],
                 m_slice.size[i]};
    }
    m_first += m_slice.fid_seq.size();
    m_at = 0;
    const std::uint64_t left = m_manifest.item_count() - m_first;
    if (left == 0) {
      m_slice.clear();
      return std::nullopt;
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, store::k_slice_rows));
    LHSM_TRY(m_manifest.read(m_first, count, k_columns, m_slice));
    LHSM_TRY(m_state.overlay(m_first, m_slice));
  }
}

}  // namespace lhsm::bulk
