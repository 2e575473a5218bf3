// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/job_files.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "journal_file.hpp"

namespace lhsm::store {

namespace {

Failure foreign(const std::string& path, const std::string& why) {
  return failure(ErrorKind::invalid, EINVAL, "read", path + ": " + why);
}

/// Return the state of the journal of this very generation, once there is one.
Outcome<JournalState> settle_journal(const ManifestReader& manifest, const std::string& path, Disk& disk) {
  const JournalBase fresh = new_base(manifest.identity(), manifest.item_count());
  const auto base = read_journal_base(path);
  if (!base) {
    if (base.error().kind != ErrorKind::not_found) return Failure(base.error());
    LHSM_TRY(create_journal(path, fresh, {}, disk));
    return JournalState::replay(path);
  }
  if (base->manifest.uuid != fresh.manifest.uuid || base->item_count != fresh.item_count)
    return foreign(path, "the journal of another manifest; move it away if nobody needs it");
  if (base->manifest.generation == fresh.manifest.generation) return JournalState::replay(path);
  if (base->manifest.generation + 1 != fresh.manifest.generation) {
    return foreign(path, fmt::format("the journal of generation {}, the manifest is of generation {}",
                                     base->manifest.generation, fresh.manifest.generation));
  }
  // fold() ended between its two renames: the manifest has the results, but not what is on the way.
  LHSM_TRY_ASSIGN(const JournalState folded, JournalState::replay(path));
  LHSM_TRY(create_journal(path, fresh, folded.unfinished(), disk));
  return JournalState::replay(path);
}

Status copy_folded(ManifestReader& from, const JournalState& state, ManifestWriter& to) {
  for (const std::string& name : from.volumes()) std::ignore = to.volume(name);
  for (const RunRecord& run : from.runs()) to.add_run(run);
  for (const RunRecord& run : state.finished_runs()) to.add_run(run);
  ItemSlice slice;
  for (std::uint64_t first = 0; first < from.item_count(); first += k_slice_rows) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(k_slice_rows, from.item_count() - first));
    LHSM_TRY(from.read(first, count, Columns::all(), slice));
    LHSM_TRY(state.overlay(first, slice));
    LHSM_TRY(to.append(slice));
  }
  return {};
}

}  // namespace

std::string journal_path(const std::string& manifest_path) { return manifest_path + ".journal"; }

Outcome<OpenedJob> open_job(const JobLock& lock, Journal::Notify notify, Disk& disk) {
  const std::string& path = lock.manifest_path();
  const std::string journal = journal_path(path);
  remove_temporaries(path, disk);
  remove_temporaries(journal, disk);
  LHSM_TRY_ASSIGN(auto manifest, ManifestReader::open(path));
  LHSM_TRY_ASSIGN(auto state, settle_journal(manifest, journal, disk));
  LHSM_TRY_ASSIGN(auto fd, open_to_append(journal, state, disk));
  auto appended =
      std::make_unique<Journal>(std::move(fd), journal, state.base(), state.valid_bytes(), std::move(notify), disk);
  return OpenedJob{std::move(manifest), std::move(state), std::move(appended)};
}

std::string real_manifest(const std::string& path) {
  std::error_code ec;
  if (!std::filesystem::is_symlink(path, ec)) return path;
  const auto target = std::filesystem::canonical(path, ec);
  return ec ? path : target.string();
}

Outcome<SeenJob> look_at_job(const std::string& name) {
  const std::string manifest_path = real_manifest(name);
  const std::string journal = journal_path(manifest_path);
  constexpr int k_attempts = 5;  // a fold may come between the two files; folds take long
  for (int attempt = 1;; ++attempt) {
    LHSM_TRY_ASSIGN(auto manifest, ManifestReader::open(manifest_path));
    auto state = JournalState::replay(journal);
    if (!state && state.error().kind != ErrorKind::not_found) return Failure(state.error());
    if (state && state->base().manifest == manifest.identity()) return SeenJob{std::move(manifest), std::move(*state)};
    const bool newer = state && state->base().manifest.uuid == manifest.identity().uuid &&
                       state->base().manifest.generation > manifest.identity().generation;
    if (newer && attempt < k_attempts) continue;
    auto none = JournalState::none(new_base(manifest.identity(), manifest.item_count()));
    return SeenJob{std::move(manifest), std::move(none)};
  }
}

Outcome<ManifestIdentity> fold(const JobLock& lock, Disk& disk) {
  const std::string& path = lock.manifest_path();
  const std::string journal = journal_path(path);
  remove_temporaries(path, disk);
  remove_temporaries(journal, disk);
  LHSM_TRY_ASSIGN(auto manifest, ManifestReader::open(path));
  LHSM_TRY_ASSIGN(const auto state, settle_journal(manifest, journal, disk));
  if (!state.has_news()) return manifest.identity();
  ManifestIdentity next = manifest.identity();
  ++next.generation;
  LHSM_TRY_ASSIGN(auto writer,
                  ManifestWriter::create(path, manifest.attributes(), next, ManifestWriter::Replace::yes, disk));
  LHSM_TRY(copy_folded(manifest, state, writer));
  LHSM_TRY(writer.finish());
  LHSM_TRY(create_journal(journal, new_base(next, manifest.item_count()), state.unfinished(), disk));
  return next;
}

}  // namespace lhsm::store
