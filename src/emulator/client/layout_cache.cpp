// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/layout_cache.hpp"

#include <unistd.h>

#include <climits>
#include <string_view>

#include "client/file_layout.hpp"
#include "client/mount.hpp"
#include "core/socket.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::size_t k_most_entries = 4096;

/// What the file shows, or the file system's usual layout where it shows none: a volatile that nobody
/// gave one yet.
Layout effective_layout(const Mount& mount, int fd, const struct stat& st) {
  if (auto seen = seen_layout(mount, fd, path_in_mount(mount, fd).value_or("")); seen) return std::move(*seen);
  return default_layout(ost_map(mount), static_cast<std::uint16_t>(st.st_ino % mount.ost_count()));
}

}  // namespace

std::optional<std::string> path_in_mount(const Mount& mount, int fd) {
  char buffer[PATH_MAX];
  const auto size = ::readlink(inode_path(fd).c_str(), buffer, sizeof buffer);
  if (size <= 0) return std::nullopt;
  const std::string_view path(buffer, static_cast<std::size_t>(size));
  const auto& top = mount.path();
  if (path.size() <= top.size() || !path.starts_with(top) || path[top.size()] != '/') return std::nullopt;
  return std::string(path.substr(top.size() + 1));
}

std::optional<Fid> volatile_fid_of(const std::string& path_in_mount) {
  const std::string_view directory(k_fid_dir);
  if (!path_in_mount.starts_with(directory) || path_in_mount.size() <= directory.size()) return std::nullopt;
  const auto name = path_in_mount.substr(directory.size() + 1);
  return Fid::parse(name.substr(0, name.find(' ')));  // " (deleted)"
}

std::shared_ptr<const Layout> LayoutCache::layout_of(const Mount& mount, int fd, const struct stat& st) {
  const std::pair key{st.st_dev, st.st_ino};
  const std::lock_guard lock(m_mutex);
  if (m_entries.size() > k_most_entries) m_entries.clear();
  auto& entry = m_entries[key];
  if (!entry.layout || entry.changed.tv_sec != st.st_ctim.tv_sec || entry.changed.tv_nsec != st.st_ctim.tv_nsec) {
    entry.layout = std::make_shared<const Layout>(effective_layout(mount, fd, st));
    entry.changed = st.st_ctim;
  }
  return entry.layout;
}

}  // namespace lhsm::emulator
