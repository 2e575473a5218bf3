// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/layout_cache.hpp"

#include <sys/xattr.h>
#include <unistd.h>

#include <climits>
#include <string_view>

#include "client/layout.hpp"
#include "client/mount.hpp"
#include "core/socket.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::size_t k_most_entries = 4096;

std::string stored_layout(const std::string& path, const AttributeNames& names) {
  char value[64 * 1024];
  const auto size = ::getxattr(path.c_str(), names.layout.c_str(), value, sizeof value);
  return size <= 0 ? std::string() : std::string(value, static_cast<std::size_t>(size));
}

/// A file without a layout of its own has what its directory says.
std::string effective_layout(const Mount& mount, int fd) {
  if (auto own = stored_layout(inode_path(fd), mount.names()); !own.empty()) return own;
  const auto path = path_in_mount(mount, fd);
  if (!path || volatile_fid_of(*path)) return default_layout();
  const auto slash = path->rfind('/');
  const auto parent = mount.path() + "/" + (slash == std::string::npos ? std::string() : path->substr(0, slash));
  const auto inherited = stored_layout(parent, mount.names());
  if (inherited.empty()) return default_layout();
  return instantiated_layout(inherited, static_cast<std::uint16_t>(mount.ost_count())).value_or(default_layout());
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

std::shared_ptr<const std::string> LayoutCache::layout_of(const Mount& mount, int fd, const struct stat& st) {
  const std::pair key{st.st_dev, st.st_ino};
  const std::lock_guard lock(m_mutex);
  if (m_entries.size() > k_most_entries) m_entries.clear();
  auto& entry = m_entries[key];
  if (!entry.layout || entry.changed.tv_sec != st.st_ctim.tv_sec || entry.changed.tv_nsec != st.st_ctim.tv_nsec) {
    entry.layout = std::make_shared<const std::string>(effective_layout(mount, fd));
    entry.changed = st.st_ctim;
  }
  return entry.layout;
}

}  // namespace lhsm::emulator
