// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lhsmtool_mpi/base/fid.hpp"
#include "lhsmtool_mpi/store/manifest.hpp"
#include "lhsmtool_mpi/store/replay.hpp"

namespace lhsm::bulk {

inline constexpr std::uint32_t k_no_group = 0xffffffff;

/// What only an import needs of an item.
struct RowDetails {
  std::string path;  ///< below the manifest's mount point
  std::int64_t mtime_ns = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t projid = 0;
  std::uint32_t links = 1;
  std::uint32_t hsm_state = 0;
};

/// An item of a job that is not final, as far as asking for it needs.
struct Row {
  std::uint64_t row = 0;  ///< index in the manifest
  Fid fid;
  std::uint32_t mdt_index = 0;
  std::uint32_t attempts = 0;       ///< that are over
  std::int64_t first_start_ns = 0;  ///< when it was first asked for; 0: never
  std::uint64_t size = 0;           ///< in bytes, as the manifest has it
  std::uint32_t group = k_no_group;  ///< the source's own: what it comes together, or takes turns, with
  RowDetails details = {};  ///< where the source was told to read them
};

/// The rows of a manifest that are to be done, in some order. For one thread at a time.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// Return the next row, or nothing: now, as those that are under way have to end first, or for ever.
  [[nodiscard]] virtual Outcome<std::optional<Row>> next() = 0;
  /// Whether next() returned nothing only so as not to search for too long: call it again, and let others in between.
  [[nodiscard]] virtual bool has_more_to_search() const { return false; }
  /// Whether next() has returned them all.
  [[nodiscard]] virtual bool is_exhausted() const = 0;
  /// A row that next() returned is final, or another one has it in hand.
  virtual void over(const Row& /*row*/) {}
};

/// What is pending, in the manifest's order, read in slices: one at most for a call of next(). The manifest and the state
/// outlive it.
class ManifestRows final : public RowSource {
 public:
  enum class Details { no, yes };
  ManifestRows(store::ManifestReader& manifest, const store::JournalState& state, Details details = Details::no)
      : m_manifest(manifest), m_state(state), m_details(details) {}

  [[nodiscard]] Outcome<std::optional<Row>> next() override;
  [[nodiscard]] bool has_more_to_search() const override { return !m_at_end; }
  [[nodiscard]] bool is_exhausted() const override { return m_at_end; }

 private:
  store::ManifestReader& m_manifest;
  const store::JournalState& m_state;
  Details m_details;
  store::ItemSlice m_slice;
  std::uint64_t m_first = 0;  // row of the slice
  std::size_t m_at = 0;       // in the slice
  bool m_at_end = false;
};

}  // namespace lhsm::bulk
