// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/store/disk.hpp"
#include "lhsmtool_mpi/store/journal_record.hpp"
#include "lhsmtool_mpi/store/replay.hpp"

namespace lhsm::store {

/// Return the base of a new journal for a manifest.
[[nodiscard]] JournalBase new_base(const ManifestIdentity& manifest, std::uint64_t item_count);

/// Make a journal of that name, which nobody has, that holds `records`, synced. Return it open.
[[nodiscard]] Outcome<Fd> make_journal(const std::string& temporary, const JournalBase& base,
                                       const std::vector<JournalRecord>& records, Disk& disk);
/// Make a journal that holds `records`, under a temporary name, synced; then it takes the place of what has the name, unless
/// `may_be_named` has an error.
[[nodiscard]] Status create_journal(const std::string& path, const JournalBase& base,
                                    const std::vector<JournalRecord>& records, Disk& disk,
                                    const std::function<Status()>& may_be_named = {});

/// Open the journal that was replayed to go on at its end: what was torn is cut off, and what was written last is
/// written and synced again, as a sync that failed before a crash leaves it in memory only.
[[nodiscard]] Outcome<Fd> open_to_append(const std::string& path, const JournalReach& reach, Disk& disk);

/// Return a name beside `path` that no other process uses for its temporary file.
[[nodiscard]] std::string temporary_name(const std::string& path);
/// Remove the temporary files of processes that died; only under the lock of the job, when none of ours is open.
void remove_temporaries(const std::string& path, Disk& disk);

}  // namespace lhsm::store
