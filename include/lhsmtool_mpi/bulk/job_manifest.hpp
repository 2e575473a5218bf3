// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a bulk job makes of its manifest as a whole: counts, the action that is to be done, the list of what failed.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "lhsmtool_mpi/store/job_files.hpp"

namespace lhsm::bulk {

/// How the items of a job stand.
struct Census {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;  ///< sizes of all
  std::array<std::uint64_t, store::k_item_results> results{};
  std::array<std::uint64_t, store::k_item_results> result_bytes{};
  std::array<std::uint64_t, store::k_item_actions> actions{};
  std::map<std::int32_t, std::uint64_t> errnos;  ///< of what failed, was refused or cancelled

  [[nodiscard]] std::uint64_t with(store::ItemResult result) const { return results.at(static_cast<std::size_t>(result)); }
  [[nodiscard]] std::uint64_t left() const { return with(store::ItemResult::pending); }
  /// Return how many items have a result that is no success.
  [[nodiscard]] std::uint64_t unsuccessful() const;
};

[[nodiscard]] std::string_view to_string(store::ItemAction action);
[[nodiscard]] std::string_view to_string(store::ItemResult result);

/// Count, in one pass over a few columns.
[[nodiscard]] Outcome<Census> take_census(store::ManifestReader& manifest, const store::JournalState& state);

/// Return what is to be done with the items of a manifest; none: nothing has been said, or there are none.
[[nodiscard]] Outcome<store::ItemAction> action_of(const std::string& manifest_path);

/// Let the job be one of `action`: a manifest that says nothing (a scan's), or whose items are all final, is made into the
/// next generation with that action and no results. `invalid` when it is another job that has work left.
[[nodiscard]] Status set_action(const store::JobLock& lock, store::ItemAction action);

/// Write what failed, was refused or cancelled to `path`: a .csv or .json with errno and text, else a list that can be read
/// as one of a new job: a path below `mount_point` a line, or a FID where the path is unknown or holds a line end.
/// The file is complete when it has its name. Return how many there are.
[[nodiscard]] Outcome<std::uint64_t> write_failed(const std::string& path, const std::string& mount_point,
                                                  store::ManifestReader& manifest, const store::JournalState& state);

}  // namespace lhsm::bulk
