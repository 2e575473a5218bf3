// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/journal_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <new>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/store/job_files.hpp"

namespace lhsm::store {

namespace {

std::uint64_t size_of(const std::string& path) {
  std::error_code ec;
  const auto size = std::filesystem::file_size(path, ec);
  return ec ? 0 : size;
}

}  // namespace

JournalFolder::JournalFolder(const JobLock& lock, Journal& journal, bool has_rotated, Options options, Disk& disk)
    : m_lock(lock), m_journal(journal), m_options(options), m_disk(disk), m_has_rotated(has_rotated) {
  m_thread = std::thread([this] { run(); });
}

JournalFolder::~JournalFolder() {
  m_stop = true;
  m_journal.wake();
  m_thread.join();
}

/// How long the journal may become. Each fold reads and writes all of the manifest, and each rotation what is on the way.
std::uint64_t JournalFolder::limit() const {
  const auto part = static_cast<std::uint64_t>(m_options.at_part * static_cast<double>(size_of(m_lock.manifest_path())));
  return m_began_with + std::max({m_options.at_bytes, part, m_began_with});
}

void JournalFolder::run() {
  bool is_told = false;
  std::uint64_t at = m_has_rotated ? 0 : limit();
  while (m_journal.wait_for_size(at, m_stop)) {
    const Status done = try_to_fold();
    if (m_stop || m_lock.is_lost()) return;
    if (done) {
      ++m_folds;
      at = limit();
      continue;
    }
    if (!is_told)
      log::warning("the journal of {} is not folded, and grows: {}; tried again each time that it has doubled", m_lock.manifest_path(),
                   done.error().describe());
    is_told = true;
    const std::uint64_t rotated = m_has_rotated ? size_of(rotated_journal_path(m_lock.manifest_path())) : 0;
    at = rotated + 2 * m_journal.file_bytes();
  }
}

/// Nothing else fails by a fold, whatever it fails of.
Status JournalFolder::try_to_fold() {
  try {
    return rotate_and_fold();
  } catch (const std::bad_alloc&) {
    return errno_error("fold", m_lock.manifest_path(), ENOMEM);
  }
}

Status JournalFolder::rotate_and_fold() {
  LHSM_TRY(m_lock.check());
  if (!m_has_rotated) {
    LHSM_TRY(m_journal.rotate(rotated_journal_path(m_lock.manifest_path())));
    m_has_rotated = true;
    m_began_with = m_journal.file_bytes();
  }
  LHSM_TRY(fold_rotated(m_lock, m_stop, m_disk));
  m_has_rotated = false;
  return {};
}

}  // namespace lhsm::store
