// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "lhsmtool_mpi/base/fid.hpp"
#include "lhsmtool_mpi/store/manifest.hpp"
#include "lhsmtool_mpi/store/replay.hpp"

namespace lhsm::bulk {

/// An item of a job that is not final, as far as asking for it needs.
struct Row {
  std::uint64_t row = 0;  ///< index in the manifest
  Fid fid;
  std::uint32_t mdt_index = 0;
  std::uint32_t attempts = 0;       ///< that are over
  std::int64_t first_start_ns = 0;  ///< when it was first asked for; 0: never
  std::uint64_t size = 0;           ///< in bytes, as the manifest has it
};

/// Which items a run takes up.
enum class Selection {
  pending,             ///< what has no final result
  pending_and_failed,  ///< besides, what failed, was refused or cancelled, as if it were new
};

/// The rows of a manifest that are to be done, in their order, read in slices. For one thread at a time; the
/// manifest and the state outlive it.
class RowSource {
 public:
  RowSource(store::ManifestReader& manifest, const store::JournalState& state, Selection selection);

  /// Return the next row, or nothing after the last one. Errors are the manifest's.
  [[nodiscard]] Outcome<std::optional<Row>> next();

 private:
  [[nodiscard]] bool is_selected(store::ItemResult result) const;

  store::ManifestReader& m_manifest;
  const store::JournalState& m_state;
  Selection m_selection;
  store::ItemSlice m_slice;
  std::uint64_t m_first = 0;  // row of the slice
  std::size_t m_at = 0;       // in the slice
};

}  // namespace lhsm::bulk
