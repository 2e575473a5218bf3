// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/job_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "journal_file.hpp"

namespace lhsm::store {

namespace {

Failure foreign(const std::string& path, const std::string& why) {
  return failure(ErrorKind::invalid, EINVAL, "read", path + ": " + why);
}

/// Return a journal's base, or nothing when there is no such file. `invalid` for that of another manifest.
Outcome<std::optional<JournalBase>> base_of(const std::string& path, const JournalBase& wanted) {
  const auto base = read_journal_base(path);
  if (!base && base.error().kind == ErrorKind::not_found) return std::optional<JournalBase>();
  if (!base) return Failure(base.error());
  if (base->manifest.uuid != wanted.manifest.uuid || base->item_count != wanted.item_count)
    return foreign(path, "the journal of another manifest; move it away if nobody needs it");
  return std::optional(*base);
}

/// Bring the journals into one of two forms, and return their state: one journal of the manifest's generation; or a rotated one of
/// that generation, and the one of the next that goes on from it. docs/journal-format.md lists what a crash leaves.
Outcome<JournalState> settle_journals(const ManifestReader& manifest, const std::string& manifest_path, Disk& disk) {
  const std::string path = journal_path(manifest_path);
  const std::string rotated_path = rotated_journal_path(manifest_path);
  const JournalBase fresh = new_base(manifest.identity(), manifest.item_count());
  const std::uint64_t generation = fresh.manifest.generation;
  LHSM_TRY_ASSIGN(const auto base, base_of(path, fresh));
  LHSM_TRY_ASSIGN(const auto rotated, base_of(rotated_path, fresh));
  const auto foreign_generation = [&](const std::string& which, const JournalBase& of) {
    return foreign(which, fmt::format("the journal of generation {}, the manifest is of generation {}", of.manifest.generation,
                                      generation));
  };
  if (rotated && rotated->manifest.generation > generation) return foreign_generation(rotated_path, *rotated);
  const bool is_rotated_news = rotated && rotated->manifest.generation == generation;
  if (!base && is_rotated_news) {  // a rotation ended between its two renames
    LHSM_TRY(disk.rename(rotated_path, path));
    LHSM_TRY(disk.sync_directory_of(path));
    return JournalState::replay(path);
  }
  if (base && is_rotated_news) {
    if (base->manifest.generation != generation + 1) return foreign_generation(path, *base);
    return JournalState::replay(rotated_path, path);
  }
  if (!base) {
    LHSM_TRY(create_journal(path, fresh, {}, disk));
  } else if (base->manifest.generation + 1 == generation) {
    // fold() ended between its two renames: the manifest has the results, but not what is on the way.
    const bool goes_on = rotated && rotated->manifest.generation + 1 == base->manifest.generation;
    LHSM_TRY_ASSIGN(const JournalState folded,
                    goes_on ? JournalState::replay(rotated_path, path) : JournalState::replay(path));
    LHSM_TRY(create_journal(path, fresh, folded.unfinished(), disk));
  } else if (base->manifest.generation != generation) {
    return foreign_generation(path, *base);
  }
  if (rotated) LHSM_TRY(disk.remove(rotated_path));  // all that it has is elsewhere
  return JournalState::replay(path);
}

/// Make the manifest of generation `next`. It gets its name only while the lock is still ours.
Status write_folded(const JobLock& lock, ManifestReader& from, const JournalState& state, std::uint64_t next,
                    const std::atomic<bool>* stop, Disk& disk) {
  const std::string& path = lock.manifest_path();
  ManifestIdentity identity = from.identity();
  identity.generation = next;
  LHSM_TRY_ASSIGN(auto to, ManifestWriter::create(path, from.attributes(), identity, ManifestWriter::Replace::yes, disk));
  for (const std::string& name : from.volumes()) std::ignore = to.volume(name);
  for (const RunRecord& run : from.runs()) to.add_run(run);
  for (const RunRecord& run : state.finished_runs()) to.add_run(run);
  ItemSlice slice;
  for (std::uint64_t first = 0; first < from.item_count(); first += k_slice_rows) {
    if (stop != nullptr && *stop) return failure(ErrorKind::cancelled, ECANCELED, "fold", path);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(k_slice_rows, from.item_count() - first));
    LHSM_TRY(from.read(first, count, Columns::all(), slice));
    LHSM_TRY(state.overlay(first, slice));
    LHSM_TRY(to.append(slice));
  }
  return to.finish([&lock] { return lock.check(); });
}

}  // namespace

std::string journal_path(const std::string& manifest_path) { return manifest_path + ".journal"; }
std::string rotated_journal_path(const std::string& manifest_path) { return manifest_path + ".journal.old"; }

Outcome<OpenedJob> open_job(const JobLock& lock, Journal::Notify notify, Disk& disk) {
  const std::string& path = lock.manifest_path();
  const std::string journal = journal_path(path);
  remove_temporaries(path, disk);
  remove_temporaries(journal, disk);
  LHSM_TRY_ASSIGN(auto manifest, ManifestReader::open(path));
  LHSM_TRY_ASSIGN(auto state, settle_journals(manifest, path, disk));
  const bool is_rotated = state.rotated_base() != nullptr;
  if (is_rotated) {
    LHSM_TRY_ASSIGN(const Fd rotated, open_to_append(rotated_journal_path(path), state.rotated_reach(), disk));
  }
  LHSM_TRY_ASSIGN(auto fd, open_to_append(journal, state.reach(), disk));
  auto appended = std::make_unique<Journal>(std::move(fd), journal, state.base(), is_rotated ? OnTheWay() : state.on_the_way(),
                                            state.reach().valid, std::move(notify), disk);
  // A crash may have come before the second journal had what the first leaves on the way, and the first is to go some time.
  if (is_rotated) {
    std::uint64_t last = 0;
    for (const JournalRecord& record : state.unfinished()) {
      LHSM_TRY_ASSIGN(last, appended->append(record));
    }
    LHSM_TRY(appended->wait_durable(last));
  }
  return OpenedJob{std::move(manifest), std::move(state), std::move(appended)};
}

std::string real_manifest(const std::string& path) {
  std::error_code ec;
  if (!std::filesystem::is_symlink(path, ec)) return path;
  const auto target = std::filesystem::canonical(path, ec);
  return ec ? path : target.string();
}

namespace {

bool is_missing(const Error& error) { return error.kind == ErrorKind::not_found; }

/// What journals there are for a manifest.
struct SeenJournals {
  std::optional<JournalState> state;  ///< not of this manifest, where it is changed under us, or there is only that
  bool changed = false;               ///< one went while it was looked at
};

Outcome<SeenJournals> look_at_journals(const std::string& manifest_path, const ManifestIdentity& manifest) {
  const std::string path = journal_path(manifest_path);
  const std::string rotated_path = rotated_journal_path(manifest_path);
  const auto base = read_journal_base(path);
  if (!base && !is_missing(base.error())) return Failure(base.error());
  bool has_rotated = false;
  if (!base || !(base->manifest == manifest)) {  // else a rotated one is folded
    const auto rotated = read_journal_base(rotated_path);
    if (!rotated && !is_missing(rotated.error())) return Failure(rotated.error());
    has_rotated = rotated && rotated->manifest == manifest;
  }
  // A rotation may be between its renames; and where there was neither it may have been so.
  auto state = !has_rotated ? JournalState::replay(path)
               : base       ? JournalState::replay(rotated_path, path)
                            : JournalState::replay(rotated_path);
  if (state) return SeenJournals{std::move(*state), false};
  if (!is_missing(state.error())) return Failure(state.error());
  return SeenJournals{std::nullopt, base || has_rotated};
}

/// Whether a manifest can be written beside a journal that grows meanwhile: the run must not end for want of the room which that takes.
Status check_room(const std::string& manifest_path, const std::string& rotated_path) {
  constexpr std::uint64_t k_for_the_journal = std::uint64_t{64} << 20U;
  struct statvfs room {};
  if (::statvfs(manifest_path.c_str(), &room) != 0) return errno_error("statvfs", manifest_path);
  std::uint64_t needed = k_for_the_journal;
  for (const std::string* const path : {&manifest_path, &rotated_path}) {
    struct stat file {};
    if (::stat(path->c_str(), &file) == 0) needed += static_cast<std::uint64_t>(file.st_size);
  }
  if (room.f_blocks != 0 && static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize < needed)
    return errno_error("find room to fold", manifest_path, ENOSPC);
  return {};
}

}  // namespace

Outcome<SeenJob> look_at_job(const std::string& name) {
  const std::string manifest_path = real_manifest(name);
  constexpr int k_attempts = 5;  // a fold, or a rotation, may come between the files; folds take long
  for (int attempt = 1;; ++attempt) {
    LHSM_TRY_ASSIGN(auto manifest, ManifestReader::open(manifest_path));
    const ManifestIdentity& identity = manifest.identity();
    LHSM_TRY_ASSIGN(auto seen, look_at_journals(manifest_path, identity));
    bool is_foreign = false;
    if (seen.state) {
      const ManifestIdentity& last = seen.state->base().manifest;
      const JournalBase* const rotated = seen.state->rotated_base();
      const bool is_whole = rotated == nullptr || rotated->manifest.generation + 1 == last.generation;
      if (is_whole && (rotated != nullptr ? rotated->manifest : last) == identity)
        return SeenJob{std::move(manifest), std::move(*seen.state)};
      is_foreign = last.uuid != identity.uuid || last.generation + 1 != identity.generation;
    }
    if ((seen.changed || is_foreign) && attempt < k_attempts) continue;  // the manifest may have been replaced meanwhile
    if (is_foreign) return foreign(journal_path(manifest_path), "not the journal of this manifest; move it away if nobody needs it");
    auto none = JournalState::none(new_base(identity, manifest.item_count()));
    return SeenJob{std::move(manifest), std::move(none)};
  }
}

Outcome<ManifestIdentity> fold(const JobLock& lock, Disk& disk) {
  const std::string& path = lock.manifest_path();
  LHSM_TRY(lock.check());
  const std::string journal = journal_path(path);
  remove_temporaries(path, disk);
  remove_temporaries(journal, disk);
  LHSM_TRY_ASSIGN(auto manifest, ManifestReader::open(path));
  LHSM_TRY_ASSIGN(const auto state, settle_journals(manifest, path, disk));
  const bool is_rotated = state.rotated_base() != nullptr;
  if (!state.has_news() && !is_rotated) return manifest.identity();
  const ManifestIdentity next{manifest.identity().uuid, state.base().manifest.generation + 1};
  LHSM_TRY(write_folded(lock, manifest, state, next.generation, nullptr, disk));
  LHSM_TRY(create_journal(journal, new_base(next, manifest.item_count()), state.unfinished(), disk,
                          [&lock] { return lock.check(); }));
  if (is_rotated) LHSM_TRY(disk.remove(rotated_journal_path(path)));
  return next;
}

Status fold_rotated(const JobLock& lock, const std::atomic<bool>& stop, Disk& disk) {
  const std::string& path = lock.manifest_path();
  const std::string rotated = rotated_journal_path(path);
  LHSM_TRY_ASSIGN(auto manifest, ManifestReader::open(path));
  LHSM_TRY_ASSIGN(const auto base, base_of(rotated, new_base(manifest.identity(), manifest.item_count())));
  if (!base) return {};
  const std::uint64_t generation = manifest.identity().generation;
  if (base->manifest.generation == generation) {
    LHSM_TRY(check_room(path, rotated));
    LHSM_TRY_ASSIGN(const auto state, JournalState::replay(rotated));
    LHSM_TRY(write_folded(lock, manifest, state, generation + 1, &stop, disk));
  } else if (base->manifest.generation + 1 == generation) {
    LHSM_TRY(disk.sync_directory_of(path));  // it was folded, and only that may have failed
  } else {
    return foreign(rotated, fmt::format("the journal of generation {}, the manifest is of generation {}",
                                        base->manifest.generation, generation));
  }
  LHSM_TRY(lock.check());  // what was synced may have lasted
  return disk.remove(rotated);
}

}  // namespace lhsm::store
