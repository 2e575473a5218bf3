// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/archive/import_marks.hpp"

#include <unistd.h>

#include <array>

#include "making_table.hpp"
#include "names.hpp"
#include "object_place.hpp"

namespace lhsm::archive {

namespace {

Outcome<std::optional<Fid>> read_mark(const Fd& dir, const Fid& source, const std::string& subject) {
  std::array<char, 128> text{};  // longer than any FID
  const auto length = ::readlinkat(*dir, source.str().c_str(), text.data(), text.size());
  if (length < 0 && errno == ENOENT) return std::nullopt;
  if (length < 0) return errno_error("readlink", subject);
  const auto fid = Fid::parse({text.data(), static_cast<std::size_t>(length)});
  if (!fid) return failure(ErrorKind::corrupt, EINVAL, "read what a file became from", subject);
  return fid;
}

}  // namespace

ImportMarks::ImportMarks(const Beneath& tree, std::string source) : m_tree(tree) {
  if (is_plain_path(source) && source.find('/') == std::string::npos)
    m_directory = std::string(k_tables_dir) + "/imported." + std::move(source);
}

Outcome<std::optional<Fid>> ImportMarks::find(const Fid& source) const {
  if (m_directory.empty()) return errno_error("find marks of imports in", m_tree.root(), EINVAL);
  const auto dir = m_tree.open_dir(m_directory, Links::none);
  if (!dir && dir.error().sys_errno == ENOENT) return std::nullopt;
  if (!dir) return Failure(dir.error());
  return read_mark(*dir, source, m_tree.full(m_directory + '/' + source.str()));
}

Outcome<Fid> ImportMarks::note(const Fid& source, const Fid& file) const {
  if (m_directory.empty()) return errno_error("find marks of imports in", m_tree.root(), EINVAL);
  const std::string subject = m_tree.full(m_directory + '/' + source.str());
  std::vector<Fd> changed;
  LHSM_TRY_ASSIGN(const Fd dir, m_tree.make_dir(m_directory, changed, Links::none));
  const bool is_new = ::symlinkat(file.str().c_str(), *dir, source.str().c_str()) == 0;
  if (!is_new && errno != EEXIST) return errno_error("symlink", subject);
  Fid noted = file;
  if (!is_new) {
    LHSM_TRY_ASSIGN(const auto there, read_mark(dir, source, subject));
    if (!there) return failure(ErrorKind::busy, EBUSY, "note what a file became in", subject);  // it went just now
    noted = *there;
  }
  for (const Fd& directory : changed) LHSM_TRY(sync_directory(directory, m_tree.full(m_directory)));
  LHSM_TRY(sync_directory(dir, m_tree.full(m_directory)));
  return noted;
}

Status ImportMarks::forget(const Fid& source, const Fid& stale) const {
  LHSM_TRY_ASSIGN(const auto noted, find(source));
  if (!noted || *noted != stale) return {};
  LHSM_TRY_ASSIGN(const Fd dir, m_tree.open_dir(m_directory, Links::none));
  if (::unlinkat(*dir, source.str().c_str(), 0) != 0 && errno != ENOENT)
    return errno_error("unlink", m_tree.full(m_directory + '/' + source.str()));
  return {};
}

}  // namespace lhsm::archive
