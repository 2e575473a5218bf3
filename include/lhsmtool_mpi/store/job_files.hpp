// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Manifest and journal together: the state of a bulk job on disk. All here is done under the job's lock.
//
//   job.h5               the manifest, a snapshot with a generation
//   job.h5.journal       what happened since
//   job.h5.journal.old   while a running job folds: what happened before that, since the manifest
//   job.h5.lock          who works on them
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "lhsmtool_mpi/store/job_lock.hpp"
#include "lhsmtool_mpi/store/journal.hpp"
#include "lhsmtool_mpi/store/manifest.hpp"
#include "lhsmtool_mpi/store/replay.hpp"

namespace lhsm::store {

[[nodiscard]] std::string journal_path(const std::string& manifest_path);
[[nodiscard]] std::string rotated_journal_path(const std::string& manifest_path);

/// Return what a manifest's name that is a symbolic link stands for, and any other as it is: two names of one job must not have
/// two locks and two journals.
[[nodiscard]] std::string real_manifest(const std::string& path);

struct OpenedJob {
  ManifestReader manifest;
  JournalState state;  ///< as it was when the job was opened
  std::unique_ptr<Journal> journal;
};

/// Open a job to go on with it: verify the manifest, replay the journal, cut its torn end off, and make it ready for
/// appending. A journal that is missing is made. One of the generation before, as a crash during fold() leaves it, is
/// replaced, and what was on the way goes over into the new one. A rotated one that was not folded stays, and `state` is that of
/// both. One of another manifest or another generation is an error (`invalid`) and is not touched.
[[nodiscard]] Outcome<OpenedJob> open_job(const JobLock& lock, Journal::Notify notify, Disk& disk = Disk::real());

/// What a job is like, without holding it and without changing anything: for status and reports, also while it runs. The journal of
/// another manifest, or of a generation that this one does not follow, is an error (`invalid`) as in open_job().
struct SeenJob {
  ManifestReader manifest;
  JournalState state;  ///< empty without a journal, or where all of it was folded
};
[[nodiscard]] Outcome<SeenJob> look_at_job(const std::string& manifest_path);

/// Make a new manifest of manifest and journal, the next generation, and begin a new journal with what is on the way.
/// No Journal of this job may be open. When it returns without error, or the process dies at any point, nothing that
/// was durable before is lost. Does nothing when there is no news. Return the generation that is there now.
[[nodiscard]] Outcome<ManifestIdentity> fold(const JobLock& lock, Disk& disk = Disk::real());

/// Make a new manifest of manifest and rotated journal (Journal::rotate()), and remove that; done if there is none. The Journal that
/// goes on from it may be open and appended to. Nothing is lost here either, and after an error it may be tried again. `cancelled`
/// when `stop` was set; `busy` (ESTALE) when the lock is not ours any more.
[[nodiscard]] Status fold_rotated(const JobLock& lock, const std::atomic<bool>& stop, Disk& disk = Disk::real());

}  // namespace lhsm::store
