// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "lhsmtool_mpi/base/fid.hpp"
#include "lhsmtool_mpi/store/manifest.hpp"
#include "lhsmtool_mpi/store/replay.hpp"

namespace lhsm::bulk {

inline constexpr std::uint32_t k_no_group = 0xffffffff;

/// An item of a job that is not final, as far as asking for it needs.
struct Row {
  std::uint64_t row = 0;  ///< index in the manifest
  Fid fid;
  std::uint32_t mdt_index = 0;
  std::uint32_t attempts = 0;       ///< that are over
  std::int64_t first_start_ns = 0;  ///< when it was first asked for; 0: never
  std::uint64_t size = 0;           ///< in bytes, as the manifest has it
  std::uint32_t group = k_no_group;  ///< the source's own: what it comes together, or takes turns, with
};

/// Which items a run takes up.
enum class Selection {
  pending,             ///< what has no final result
  pending_and_failed,  ///< besides, what failed, was refused or cancelled, as if it were new
};

/// The rows of a manifest that are to be done, in some order. For one thread at a time.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Return the next row, or nothing: now, as those that are under way have to end first, or for ever.
  [[nodiscard]] virtual Outcome<std::optional<Row>> next() = 0;
  /// Whether next() has returned them all.
  [[nodiscard]] virtual bool is_exhausted() const = 0;
  /// A row that next() returned is final, or another one has it in hand.
  virtual void over(const Row& /*row*/) {}
};

/// In the manifest's order, read in slices. The manifest and the state outlive it.
class ManifestRows final : public RowSource {
 public:
  ManifestRows(store::ManifestReader& manifest, const store::JournalState& state, Selection selection);

  [[nodiscard]] Outcome<std::optional<Row>> next() override;
  [[nodiscard]] bool is_exhausted() const override { return m_at_end; }

 private:
  store::ManifestReader& m_manifest;
  const store::JournalState& m_state;
  Selection m_selection;
  store::ItemSlice m_slice;
  std::uint64_t m_first = 0;  // row of the slice
  std::size_t m_at = 0;       // in the slice
  bool m_at_end = false;
};

}  // namespace lhsm::bulk
