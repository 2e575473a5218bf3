// SPDX-License-Identifier: LGPL-2.1-or-later
#include "object_place.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>

namespace lhsm::archive {

namespace {
constexpr mode_t k_file_mode = 0600;
}

Outcome<Fd> ObjectPlace::create(const std::string& entry) const {
  Fd fd(::openat(*m_dir, entry.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, k_file_mode));
  if (!fd) return errno_error("create", full(entry));
  return fd;
}

Outcome<bool> ObjectPlace::link(const std::string& entry, const std::string& second) const {
  if (::linkat(*m_dir, entry.c_str(), *m_dir, second.c_str(), 0) == 0) return true;
  const int error = errno;
  if (error == ENOENT) return false;
  struct stat status {};
  if (error == EPERM && ::fstatat(*m_dir, entry.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
    return errno_error("replace", full(entry), EISDIR);
  return errno_error("link", full(entry), error);
}

Status ObjectPlace::rename(const std::string& from, const std::string& to) const {
  if (::renameat(*m_dir, from.c_str(), *m_dir, to.c_str()) != 0) return errno_error("rename", full(to));
  return {};
}

Status ObjectPlace::put_back(const std::string& old, const std::string& making, const std::string& name) const {
  LHSM_TRY_ASSIGN(const bool linked, link(old, making));
  return linked ? rename(making, name) : Status();
}

Outcome<bool> ObjectPlace::unlink(const std::string& entry) const {
  if (::unlinkat(*m_dir, entry.c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  return errno_error("unlink", full(entry));
}

bool is_named(const Fd& dir, const std::string& name, const Fd& file) {
  struct stat named {};
  struct stat held {};
  return ::fstatat(*dir, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && ::fstat(*file, &held) == 0 &&
         named.st_ino == held.st_ino && named.st_dev == held.st_dev;
}

Outcome<std::optional<std::pair<dev_t, ino_t>>> ObjectPlace::identity(const std::string& entry) const {
  struct stat status {};
  if (::fstatat(*m_dir, entry.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return std::pair(status.st_dev, status.st_ino);
  if (errno == ENOENT) return std::nullopt;
  return errno_error("stat", full(entry));
}

Status ObjectPlace::sync() const { return sync_directory(m_dir, m_tree.full(m_dir_path)); }

Status sync_directory(const Fd& dir, const std::string& subject) {
  if (::fsync(*dir) != 0 && errno != EINVAL) return errno_error("fsync", subject);
  return {};
}

}  // namespace lhsm::archive
