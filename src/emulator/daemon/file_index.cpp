// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/file_index.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <cstring>
#include <filesystem>

#include "core/fid_space.hpp"
#include "core/file_handle.hpp"
#include "core/socket.hpp"

namespace lhsm::emulator {
FileIndex::FileIndex(int mount_fd, std::string mount_path, const AttributeNames& names)
    : m_mount_fd(mount_fd), m_mount_path(std::move(mount_path)), m_names(names) {
  const auto handle = make_handle(mount_fd);
  m_has_handles = !handle.empty() && open_handle(mount_fd, handle, O_PATH | O_CLOEXEC);
  // An old table goes in any case; a new one that cannot be made is one without entries.
  if (auto table = HandleTable::create(mount_fd); table && m_has_handles) m_table = std::move(*table);
}

void FileIndex::remember(const Fid& fid, int fd, std::string_view path) {
  Entry& entry = m_entries[fid];
  auto handle = m_has_handles ? make_handle(fd) : std::string{};
  if (handle != entry.handle) m_table.erase(fid);
  entry.handle = std::move(handle);
  entry.path = path;
}

Outcome<Fd> FileIndex::open_entry(const Fid& fid, const Entry& entry) {
  if (!entry.handle.empty()) {
    Fd fd = open_handle(m_mount_fd, entry.handle, O_PATH | O_CLOEXEC);
    if (!fd) return errno_error("open", fid.bracketed(), errno == ESTALE ? ENOENT : errno);
    m_table.put(fid, entry.handle);
    return fd;
  }
  Fd fd(::openat(m_mount_fd, entry.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return errno_error("open", fid.bracketed());
  struct stat st {};
  const auto tag = read_tag(inode_path(*fd), m_names);
  if (::fstat(*fd, &st) != 0 || !tag || tag->fid() != fid || tag->inode != static_cast<std::uint32_t>(st.st_ino))
    return errno_error("open", fid.bracketed(), ENOENT);
  return fd;
}

std::string_view FileIndex::handle_of(const Fid& fid) const {
  const auto it = m_entries.find(fid);
  return it == m_entries.end() ? std::string_view{} : std::string_view(it->second.handle);
}

Outcome<Fd> FileIndex::open(const Fid& fid) {
  if (fid == k_root_fid) {
    Fd root(::openat(m_mount_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return errno_error("open", fid.bracketed());
    return root;
  }
  auto it = m_entries.find(fid);
  if (it != m_entries.end()) {
    auto fd = open_entry(fid, it->second);
    // A handle's answer is final; a path may only have gone stale.
    if (fd || m_has_handles) return fd;
  }
  if (!scan_if_due()) return errno_error("open", fid.bracketed(), ENOENT);
  it = m_entries.find(fid);
  if (it == m_entries.end()) return errno_error("open", fid.bracketed(), ENOENT);
  return open_entry(fid, it->second);
}

std::optional<std::string> FileIndex::relative_path(int fd) const {
  char buffer[PATH_MAX];
  const auto size = ::readlink(inode_path(fd).c_str(), buffer, sizeof buffer);
  if (size <= 0) return std::nullopt;
  const std::string_view path(buffer, static_cast<std::size_t>(size));
  if (path == m_mount_path) return std::string{};
  if (path.size() <= m_mount_path.size() || !path.starts_with(m_mount_path) || path[m_mount_path.size()] != '/')
    return std::nullopt;
  return std::string(path.substr(m_mount_path.size() + 1));
}

bool FileIndex::leads_to(const std::string& path, const struct stat& st) const {
  struct stat found {};
  return ::fstatat(m_mount_fd, path.empty() ? "." : path.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
         found.st_ino == st.st_ino && found.st_dev == st.st_dev;
}

Outcome<std::string> FileIndex::path_of(const Fid& fid) {
  if (fid == k_root_fid) return std::string{};
  LHSM_TRY_ASSIGN(const Fd fd, open(fid));
  struct stat st {};
  if (::fstat(*fd, &st) != 0) return errno_error("stat", fid.bracketed());
  return path_of(fid, fd, st);
}

Outcome<std::string> FileIndex::path_of(const Fid& fid, const Fd& fd, const struct stat& st) {
  if (st.st_nlink == 0) return errno_error("path", fid.bracketed(), ENOENT);
  // The kernel knows the path by which the inode was last looked up, unless it has forgotten it.
  if (const auto path = relative_path(*fd); path && leads_to(*path, st)) return *path;
  if (const auto it = m_entries.find(fid); it != m_entries.end() && leads_to(it->second.path, st))
    return it->second.path;
  scan();
  if (const auto it = m_entries.find(fid); it != m_entries.end() && leads_to(it->second.path, st))
    return it->second.path;
  return errno_error("path", fid.bracketed(), ENOENT);
}

Outcome<FileIndex::Link> FileIndex::link_of(const Fid& fid, std::uint32_t link) {
  if (fid == k_root_fid) return Link{{}, 1};
  LHSM_TRY_ASSIGN(const Fd fd, open(fid));
  struct stat st {};
  if (::fstat(*fd, &st) != 0) return errno_error("stat", fid.bracketed());
  LHSM_TRY_ASSIGN(const auto first, path_of(fid, fd, st));
  const auto count = S_ISREG(st.st_mode) ? static_cast<std::uint32_t>(st.st_nlink) : 1U;
  if (link == 0) return Link{first, count};
  namespace fs = std::filesystem;
  std::error_code error;
  for (fs::recursive_directory_iterator it(m_mount_path, fs::directory_options::skip_permission_denied, error), end;
       link < count && !error && it != end; it.increment(error)) {
    const auto path = it->path().native().substr(m_mount_path.size() + 1);
    if (path == k_control_dir) it.disable_recursion_pending();
    if (path != first && leads_to(path, st) && --link == 0) return Link{path, count};
  }
  return errno_error("path", fid.bracketed(), ENOENT);
}

bool FileIndex::scan_if_due() {
  if (m_has_handles && m_scanned) return false;
  const auto begin = std::chrono::steady_clock::now();
  if (m_scanned && begin < m_next_scan) return false;
  scan();
  // Requests for files that are gone must not make the daemon do nothing but scan.
  const auto end = std::chrono::steady_clock::now();
  m_next_scan = end + 4 * (end - begin);
  return true;
}

void FileIndex::scan() {
  m_scanned = true;
  namespace fs = std::filesystem;
  std::error_code error;
  for (fs::recursive_directory_iterator it(m_mount_path, fs::directory_options::skip_permission_denied, error), end;
       !error && it != end; it.increment(error)) {
    const auto& path = it->path().native();
    if (it.depth() == 0 && it->path().filename() == ".lustre") {
      it.disable_recursion_pending();
      continue;
    }
    std::error_code ignored;
    if (it->is_symlink(ignored)) continue;
    const auto tag = read_tag(path, m_names);
    if (!tag) continue;
    const Fd fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat st {};
    if (!fd || ::fstat(*fd, &st) != 0 || tag->inode != static_cast<std::uint32_t>(st.st_ino)) continue;
    remember(tag->fid(), *fd, path.substr(m_mount_path.size() + 1));
  }
}

}  // namespace lhsm::emulator
