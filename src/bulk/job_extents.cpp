// SPDX-License-Identifier: LGPL-2.1-or-later
// What a job remembers of large archives that are copied in part.
#include "lhsmtool_mpi/bulk/job.hpp"

#include <algorithm>

namespace lhsm::bulk {

void Job::go_on_with(std::map<std::uint64_t, store::PartialFile> partial) {
  const Lock lock(m_mutex);
  m_partial = std::move(partial);
  m_kept.clear();
  for (const auto& [row, file] : m_partial)
    for (const store::ExtentRecord& extent : file.extents) m_kept[row] += extent.extent.length;
}

/// Only copies take the longer the larger a file is, and what an earlier run has copied takes no time any more. The same from the
/// begin of an attempt to its end, also where the attempt finds that it has to copy all.
std::uint64_t Job::bytes_to_move(const Row& row) const {
  if (m_options.action != store::ItemAction::archive && m_options.action != store::ItemAction::restore) return 0;
  const auto kept = m_kept.find(row.row);
  return kept == m_kept.end() ? row.size : row.size - std::min(row.size, kept->second);
}

std::set<std::string> Job::wanted_objects() const {
  const Lock lock(m_mutex);
  std::set<std::string> objects;
  for (const auto& [row, file] : m_partial) objects.insert(file.version.object);
  return objects;
}

/// Return the row under which the file of an action of ours is known; of one that is listed twice it may be either.
std::optional<std::uint64_t> Job::partial_row(const ActionItem& item) const {
  const auto at = m_flights.find(item.fid);
  if (at == m_flights.end() || !at->second.is_ours || !is_of(item)) return std::nullopt;
  if (m_partial.contains(at->second.row.row)) return at->second.row.row;
  for (const Row& twin : at->second.twins)
    if (m_partial.contains(twin.row)) return twin.row;
  return std::nullopt;
}

std::optional<run::CopyVersion> Job::known(const ActionItem& item) const {
  const Lock lock(m_mutex);
  const auto row = partial_row(item);
  if (!row || m_partial.at(*row).extents.empty()) return std::nullopt;
  const store::SourceVersion& version = m_partial.at(*row).version;
  return run::CopyVersion{version.data_version, version.object};
}

std::vector<run::CopiedPiece> Job::take(const ActionItem& item) {
  const Lock lock(m_mutex);
  std::vector<run::CopiedPiece> pieces;
  const auto row = partial_row(item);
  if (!row) return pieces;
  for (store::ExtentRecord& extent : m_partial.at(*row).extents) pieces.push_back({extent.extent, std::move(extent.leaves)});
  m_partial.erase(*row);
  return pieces;
}

bool Job::piece_done(const ActionItem& item, const run::CopyVersion& version, run::CopiedPiece piece) {
  const Lock lock(m_mutex);
  const auto at = m_flights.find(item.fid);
  if (at == m_flights.end() || !at->second.is_ours || !is_of(item)) return false;
  const std::uint64_t row = at->second.row.row;
  const store::SourceVersion source{version.data_version, version.object};
  if (store::PartialFile& file = m_partial[row]; !(file.version == source)) file = {source, {}};
  append(store::ExtentRecord{row, piece.extent, source, std::move(piece.leaves)});
  return !m_progress.broken;
}

/// Forget what is copied of a file: it is final, or, with `only_begun`, an attempt of this run has failed, which removed
/// its object. What an earlier run left is untouched as long as no attempt has come to it.
void Job::forget_partial(const Flight& flight, bool only_begun) {
  const auto forget = [&](std::uint64_t row) {
    const auto at = m_partial.find(row);
    if (at != m_partial.end() && (!only_begun || at->second.extents.empty())) m_partial.erase(at);
    if (!m_partial.contains(row)) m_kept.erase(row);
  };
  forget(flight.row.row);
  for (const Row& twin : flight.twins) forget(twin.row);
}

}  // namespace lhsm::bulk
