// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/archive/posix_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <tuple>

#include "lhsmtool_mpi/archive/kept_xattrs.hpp"
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

/// Of linkat(2), by its errno.
Failure link_error(const std::string& subject) {
  if (errno == EXDEV)
    return failure(ErrorKind::invalid, EXDEV, "link an object into a root on another file system, which must be on the same one:", subject);
  return errno_error("link", subject);
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

Outcome<Candidate> PosixTree::open_object(const Fid& fid) const {
  Candidate candidate;
  candidate.path = object_path(fid);
  LHSM_TRY_ASSIGN(candidate.file, open_regular(m_tree, candidate.path, O_RDONLY));
  if (::fstat(*candidate.file, &candidate.attributes) != 0) return errno_error("fstat", m_tree.full(candidate.path));
  return candidate;
}

Outcome<PosixTree::Holder> PosixTree::holder(const Candidate& candidate, const Fid& fid) const {
  const std::string path = object_path(fid);
  const auto dir = m_tree.open_dir(parent_of(path));
  if (!dir && dir.error().sys_errno == ENOENT) return Holder::nobody;
  if (!dir) return Failure(dir.error());
  if (is_named(*dir, fid.str(), candidate.file)) return Holder::candidate;
  return exists(**dir, fid.str()) ? Holder::other : Holder::nobody;
}

Status PosixTree::adopt(const Candidate& candidate, const Fid& fid, const PosixTree& from) const {
  std::vector<Fd> changed;
  const std::string path = object_path(fid);
  LHSM_TRY_ASSIGN(Fd dir, m_tree.make_dir(parent_of(path), changed));
  LHSM_TRY_ASSIGN(const Fd source, from.m_tree.open_dir(parent_of(candidate.path)));
  const std::string name = name_of(candidate.path);
  if (is_named(dir, fid.str(), candidate.file)) return sync_directory(dir, m_tree.full(parent_of(path)));  // who made it may not have
  // That object may be of another file, of a file system that had the same FIDs before: what lies beside is its.
  if (exists(*dir, fid.str())) return errno_error("link", m_tree.full(path), EEXIST);
  // The object last: what lies beside it is there when it appears.
  for (const std::string_view suffix : k_companions) {
    const std::string beside = name + std::string(suffix);
    const std::string to = fid.str() + std::string(suffix);
    LHSM_TRY(unlink_if_there(*dir, to, m_tree.full(path)));  // nothing of an object that was here before
    // EEXIST: another process does the same.
    if (::linkat(*source, beside.c_str(), *dir, to.c_str(), 0) != 0 && errno != ENOENT && errno != EEXIST)
      return link_error(m_tree.full(path) + std::string(suffix));
  }
  if (::linkat(*source, name.c_str(), *dir, fid.str().c_str(), 0) != 0 && !(errno == EEXIST && is_named(dir, fid.str(), candidate.file)))
    return link_error(m_tree.full(path));
  changed.push_back(std::move(dir));
  return sync_all(changed);
}

Status PosixTree::drop(const Fid& fid) const {
  const std::string path = object_path(fid);
  const auto dir = m_tree.open_dir(parent_of(path));
  if (!dir && dir.error().sys_errno == ENOENT) return {};
  if (!dir) return Failure(dir.error());
  LHSM_TRY(unlink_if_there(**dir, fid.str(), m_tree.full(path)));
  for (const std::string_view suffix : k_companions)
    LHSM_TRY(unlink_if_there(**dir, fid.str() + std::string(suffix), m_tree.full(path)));
  return sync_directory(*dir, m_tree.full(parent_of(path)));
}

Status PosixTree::check_adoption(const PosixTree& from) const {
  UniqueNames names;
  const std::string probe = ".lhsmtool_mpi_check." + names.next();
  const Fd made(::openat(from.m_tree.root_fd(), probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!made) return errno_error("create", from.m_tree.full(probe));
  const std::string second = probe + ".link";
  Status linked;
  if (::linkat(from.m_tree.root_fd(), probe.c_str(), m_tree.root_fd(), second.c_str(), 0) != 0)
    linked = link_error(m_tree.full(second));
  else
    linked = unlink_if_there(m_tree.root_fd(), second, m_tree.full(second));
  const Status removed = unlink_if_there(from.m_tree.root_fd(), probe, from.m_tree.full(probe));
  return linked ? removed : linked;
}

Outcome<std::vector<Xattr>> PosixTree::kept_xattrs(const Candidate& candidate) {
  std::string names(1024, '\0');
  ssize_t size = 0;
  while ((size = ::flistxattr(*candidate.file, names.data(), names.size())) < 0) {
    if (errno == EOPNOTSUPP) return std::vector<Xattr>();
    if (errno != ERANGE || names.size() > XATTR_LIST_MAX) return errno_error("flistxattr", candidate.path);
    names.resize(names.size() * 4);
  }
  const std::string_view list(names.data(), static_cast<std::size_t>(size));
  std::vector<Xattr> found;
  for (std::size_t at = 0; at < list.size();) {  // NUL-terminated names, one after the other
    const std::string name(list.substr(at, list.find('\0', at) - at));
    at += name.size() + 1;
    if (describes_inode(name)) continue;
    std::string value(XATTR_SIZE_MAX, '\0');
    const ssize_t length = ::fgetxattr(*candidate.file, name.c_str(), value.data(), value.size());
    if (length < 0 && (errno == ENODATA || errno == EOPNOTSUPP)) continue;
    if (length < 0) return errno_error("fgetxattr " + name, candidate.path);
    value.resize(static_cast<std::size_t>(length));
    found.push_back({name, std::move(value)});
  }
  return found;
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
