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
  std::uint64_t largest_left = 0;                ///< size of the largest item that has no result
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

/// What has to be done so that the job is one of `action`.
enum class ActionChange {
  none,  ///< it is one
  anew,  ///< its results do not count any more: all items are to be done
};
/// `invalid` when it is another job that has work left. `path` is for the error.
[[nodiscard]] Outcome<ActionChange> change_to(const Census& census, store::ItemAction action, const std::string& path);
/// Return what is to be done with the items; none: nothing has been said, or there are none.
[[nodiscard]] store::ItemAction action_of(const Census& census);
/// Return the same of a manifest, from its first item.
[[nodiscard]] Outcome<store::ItemAction> action_of(const std::string& manifest_path);

/// Return the name under which a job has objects in the making (archive::PosixOptions): its manifest's uuid.
[[nodiscard]] Outcome<std::string> owner_of(const std::string& manifest_path);

/// Let the job be one of `action`: a manifest that says nothing (a scan's), or whose items are all final, is made into the
/// next generation with that action and no results. `invalid` when it is another job that has work left.
[[nodiscard]] Status set_action(const store::JobLock& lock, store::ItemAction action);

/// Make what failed, was refused or cancelled pending again, as if it were new, in the next generation.
[[nodiscard]] Status take_up_failed(const store::JobLock& lock);

/// Write what failed, was refused or cancelled as a FailedList, paths below `mount_point`. Return how many there are.
[[nodiscard]] Outcome<std::uint64_t> write_failed(const std::string& path, const std::string& mount_point,
                                                  store::ManifestReader& manifest, const store::JournalState& state);

}  // namespace lhsm::bulk
