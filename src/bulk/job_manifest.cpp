// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/job_manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/bulk/row_walk.hpp"

namespace lhsm::bulk {

using store::Column;
using store::Columns;
using store::ItemAction;
using store::ItemResult;
using store::ItemSlice;

std::uint64_t Census::unsuccessful() const {
  return with(ItemResult::failed) + with(ItemResult::refused) + with(ItemResult::cancelled);
}

std::string_view to_string(ItemAction action) {
  constexpr std::array<std::string_view, store::k_item_actions> k_names{"none", "archive", "restore", "release", "remove",
                                                                           "import"};
  return k_names.at(static_cast<std::size_t>(action));
}

std::string_view to_string(ItemResult result) {
  constexpr std::array<std::string_view, store::k_item_results> k_names{"pending", "done",      "already", "skipped",
                                                                        "failed",  "cancelled", "refused"};
  return k_names.at(static_cast<std::size_t>(result));
}

Outcome<Census> take_census(store::ManifestReader& manifest, const store::JournalState& state) {
  Census census;
  census.items = manifest.item_count();
  const Columns columns{Column::action, Column::result, Column::sys_errno, Column::size};
  LHSM_TRY(for_each_slice(manifest, state, columns, [&census](std::uint64_t, const ItemSlice& slice) -> Status {
    for (std::size_t i = 0; i < slice.result.size(); ++i) {
      const auto result = static_cast<std::size_t>(slice.result[i]);
      ++census.actions.at(static_cast<std::size_t>(slice.action[i]));
      ++census.results.at(result);
      census.bytes += slice.size[i];
      census.result_bytes.at(result) += slice.size[i];
      if (slice.result[i] == ItemResult::pending) census.largest_left = std::max(census.largest_left, slice.size[i]);
      if (is_unsuccessful(slice.result[i])) ++census.errnos[slice.sys_errno[i]];
    }
    return {};
  }));
  return census;
}

store::ItemAction action_of(const Census& census) {
  for (std::size_t i = 1; i < store::k_item_actions; ++i)
    if (census.actions.at(i) > 0) return static_cast<ItemAction>(i);
  return ItemAction::none;
}

Outcome<ActionChange> change_to(const Census& census, ItemAction action, const std::string& path) {
  if (census.items == 0 || census.actions.at(static_cast<std::size_t>(action)) == census.items)
    return ActionChange::none;
  const bool is_new = census.actions.at(static_cast<std::size_t>(ItemAction::none)) == census.items;
  if (is_new || census.left() == 0) return ActionChange::anew;
  const auto other = std::max_element(census.actions.begin(), census.actions.end()) - census.actions.begin();
  return failure(ErrorKind::invalid, EINVAL,
                 fmt::format("{} with the items of a job that is to {}, of which {} are left, in", to_string(action),
                             to_string(static_cast<ItemAction>(other)), census.left()),
                 path);
}

Outcome<ItemAction> action_of(const std::string& manifest_path) {
  LHSM_TRY_ASSIGN(auto manifest, store::ManifestReader::open(manifest_path));
  if (manifest.item_count() == 0) return ItemAction::none;
  ItemSlice slice;
  LHSM_TRY(manifest.read(0, 1, Columns{Column::action}, slice));
  return slice.action.front();
}

Outcome<std::string> owner_of(const std::string& manifest_path) {
  LHSM_TRY_ASSIGN(const auto identity, store::ManifestReader::identity_of(manifest_path));
  return identity.uuid_text();
}

namespace {

/// Make the next generation: `change(slice, i)` for each item. What is at the coordinator goes along in its journal.
Status rewrite(const store::JobLock& lock, const std::function<void(ItemSlice&, std::size_t)>& change) {
  const std::string& path = lock.manifest_path();
  LHSM_TRY(store::fold(lock));  // its runs count, whatever becomes of its results
  LHSM_TRY_ASSIGN(auto manifest, store::ManifestReader::open(path));
  store::ManifestIdentity next = manifest.identity();
  ++next.generation;
  LHSM_TRY_ASSIGN(auto writer, store::ManifestWriter::create(path, manifest.attributes(), next,
                                                             store::ManifestWriter::Replace::yes));
  for (const std::string& name : manifest.volumes()) std::ignore = writer.volume(name);
  for (const store::RunRecord& run : manifest.runs()) writer.add_run(run);
  ItemSlice slice;
  for (std::uint64_t first = 0; first < manifest.item_count(); first += slice.action.size()) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(manifest.item_count() - first, store::k_slice_rows));
    LHSM_TRY(manifest.read(first, count, Columns::all(), slice));
    for (std::size_t i = 0; i < count; ++i) change(slice, i);
    LHSM_TRY(writer.append(slice));
  }
  return writer.finish([&lock] { return lock.check(); });
}

}  // namespace

Status set_action(const store::JobLock& lock, ItemAction action) {
  const std::string& path = lock.manifest_path();
  {
    LHSM_TRY_ASSIGN(auto seen, store::look_at_job(path));
    LHSM_TRY_ASSIGN(const Census census, take_census(seen.manifest, seen.state));
    LHSM_TRY_ASSIGN(const ActionChange change, change_to(census, action, path));
    if (change == ActionChange::none) return {};
  }
  return rewrite(lock, [action](ItemSlice& slice, std::size_t i) {
    // What the results told of the files goes with them.
    slice.hsm_state[i] = states_after(slice.action[i], slice.result[i], slice.hsm_state[i]);
    slice.action[i] = action;
    slice.set_outcome(i, {});
  });
}

Status take_up_failed(const store::JobLock& lock) {
  {
    LHSM_TRY_ASSIGN(auto seen, store::look_at_job(lock.manifest_path()));
    LHSM_TRY_ASSIGN(const Census census, take_census(seen.manifest, seen.state));
    if (census.unsuccessful() == 0) return {};
  }
  return rewrite(lock, [](ItemSlice& slice, std::size_t i) {
    if (is_unsuccessful(slice.result[i])) slice.set_outcome(i, {});
  });
}

}  // namespace lhsm::bulk
