// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/layout.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

class Mount;

/// Return the path of an open descriptor relative to its mount point, or nothing if it lies outside.
[[nodiscard]] std::optional<std::string> path_in_mount(const Mount& mount, int fd);

/// Return the FID of a volatile (open, with or without a name) from such a path; nothing for other files.
[[nodiscard]] std::optional<Fid> volatile_fid_of(const std::string& path_in_mount);

/// The layouts of the files that a process reads and writes, as "lustre.lov" shows them. Setting a
/// layout changes the inode's change time, so what was read before is good as long as that stays.
class LayoutCache {
 public:
  [[nodiscard]] std::shared_ptr<const Layout> layout_of(const Mount& mount, int fd, const struct stat& st);

 private:
  struct Entry {
    timespec changed{};
    std::shared_ptr<const Layout> layout;
  };
  std::mutex m_mutex;
  std::map<std::pair<dev_t, ino_t>, Entry> m_entries;
};

}  // namespace lhsm::emulator
