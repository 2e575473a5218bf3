// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/archive/posix_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <array>
#include <tuple>

#include "names.hpp"
#include "object_place.hpp"

namespace lhsm::archive {

namespace {

constexpr std::array k_companions{k_layout_suffix, k_digest_suffix};

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool exists(int dir, const std::string& name) {
  struct stat status {};
  return ::fstatat(dir, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Status unlink_if_there(int dir, const std::string& name, const std::string& subject) {
  if (::unlinkat(dir, name.c_str(), 0) != 0 && errno != ENOENT) return errno_error("unlink", subject);
  return {};
}

/// Rename, if `from` is there: false when not. Of two names of one file, which rename(2) leaves both, only
/// `to` stays.
Outcome<bool> rename_if_there(int from_dir, const std::string& from, int to_dir, const std::string& to,
                              const std::string& subject) {
  if (::renameat(from_dir, from.c_str(), to_dir, to.c_str()) != 0) {
    if (errno == ENOENT) return false;
    return errno_error("rename", subject);
  }
  LHSM_TRY(unlink_if_there(from_dir, from, subject));
  return true;
}

Status sync_all(const std::vector<Fd>& directories) {
  for (const Fd& directory : directories) LHSM_TRY(sync_directory(directory, "a directory of the archive"));
  return {};
}

}  // namespace

Outcome<PosixTree> PosixTree::open(std::string root, TreeFormat format) {
  while (root.size() > 1 && root.ends_with('/')) root.pop_back();
  LHSM_TRY_ASSIGN(Beneath tree, Beneath::open_root(std::move(root)));
  return PosixTree(std::move(tree), format);
}

Outcome<Candidate> PosixTree::open_candidate(std::string path) const {
  constexpr int k_most_links = 40;  // as many as the kernel follows
  for (int i = 0; i < k_most_links; ++i) {
    LHSM_TRY_ASSIGN(const Fd dir, m_tree.open_dir(parent_of(path)));
    std::array<char, PATH_MAX> target{};
    const auto length = ::readlinkat(*dir, name_of(path).c_str(), target.data(), target.size());
    if (length < 0) {
      Candidate candidate;
      LHSM_TRY_ASSIGN(candidate.file, open_regular(m_tree, path, O_RDONLY));
      if (::fstat(*candidate.file, &candidate.attributes) != 0) return errno_error("fstat", m_tree.full(path));
      candidate.path = std::move(path);
      return candidate;
    }
    const std::string text(target.data(), static_cast<std::size_t>(length));
    if (text.starts_with('/')) return failure(ErrorKind::denied, EXDEV, "follow link", m_tree.full(path));
    path = parent_of(path) + '/' + text;
  }
  return errno_error("open", m_tree.full(path), ELOOP);
}

Status PosixTree::adopt(const Candidate& candidate, const Fid& fid) const {
  std::vector<Fd> changed;
  const std::string path = object_path(fid);
  LHSM_TRY_ASSIGN(Fd dir, m_tree.make_dir(parent_of(path), changed));
  LHSM_TRY_ASSIGN(const Fd source, m_tree.open_dir(parent_of(candidate.path)));
  const std::string name = name_of(candidate.path);
  // That object may be of another file, of a file system that had the same FIDs before: what lies beside is its.
  if (exists(*dir, fid.str())) return errno_error("link", m_tree.full(path), EEXIST);
  // The object last: what lies beside it is there when it appears.
  for (const std::string_view suffix : k_companions) {
    const std::string from = name + std::string(suffix);
    const std::string to = fid.str() + std::string(suffix);
    LHSM_TRY(unlink_if_there(*dir, to, m_tree.full(path)));  // nothing of an object that was here before
    if (::linkat(*source, from.c_str(), *dir, to.c_str(), 0) != 0 && errno != ENOENT)
      return errno_error("link", m_tree.full(path) + std::string(suffix));
  }
  if (::linkat(*source, name.c_str(), *dir, fid.str().c_str(), 0) != 0) return errno_error("link", m_tree.full(path));
  changed.push_back(std::move(dir));
  return sync_all(changed);
}

Status PosixTree::rebind(const Fid& from, const Fid& to) const {
  const std::string old_path = object_path(from);
  const std::string new_path = object_path(to);
  if (old_path == new_path) return {};
  LHSM_TRY(open_regular(m_tree, old_path, O_RDONLY));
  std::vector<Fd> changed;
  LHSM_TRY_ASSIGN(Fd source, m_tree.open_dir(parent_of(old_path)));
  LHSM_TRY_ASSIGN(Fd dir, m_tree.make_dir(parent_of(new_path), changed));
  const bool replaces = exists(*dir, to.str());
  // The object last: when this is interrupted before, it can be repeated.
  for (const std::string_view suffix : k_companions) {
    const std::string old_name = from.str() + std::string(suffix);
    const std::string new_name = to.str() + std::string(suffix);
    const std::string subject = m_tree.full(old_path) + std::string(suffix);
    LHSM_TRY_ASSIGN(const bool renamed, rename_if_there(*source, old_name, *dir, new_name, subject));
    if (!renamed && replaces) LHSM_TRY(unlink_if_there(*dir, new_name, m_tree.full(new_path)));
  }
  LHSM_TRY_ASSIGN(const bool renamed, rename_if_there(*source, from.str(), *dir, to.str(), m_tree.full(old_path)));
  if (!renamed) return errno_error("rename", m_tree.full(old_path), ENOENT);
  changed.push_back(std::move(dir));
  changed.push_back(std::move(source));
  return sync_all(changed);
}

}  // namespace lhsm::archive
