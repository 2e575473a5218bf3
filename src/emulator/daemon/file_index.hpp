// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <string>
#include <unordered_map>

#include "core/attributes.hpp"
#include "core/handle_table.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::emulator {

/// FID to inode. Where the kernel gives file handles (root, most file systems) the handle finds the
/// inode whatever its names; elsewhere the last known path is tried and verified by the FID on the
/// file. What is not known is looked for in the whole tree: once after a start, and with paths again
/// when one went stale.
class FileIndex {
 public:
  /// `mount_fd` must stay open; `mount_path` is absolute and canonical.
  FileIndex(int mount_fd, std::string mount_path, const AttributeNames& names);

  /// Remember the inode behind `fd` under its FID; `path` is absolute.
  void remember(const Fid& fid, int fd, std::string_view path);

  /// Open the file O_PATH, unlinked ones too while somebody holds them open. ENOENT when it is gone.
  Outcome<Fd> open(const Fid& fid);

  [[nodiscard]] bool knows(const Fid& fid) const { return m_entries.contains(fid); }
  /// Clients shall ask from now on, and find out that nobody answers.
  void clear_table() { m_table.clear(); }

  /// Return the file handle of a known file, for a client that can open it itself; "" if there is none.
  [[nodiscard]] std::string_view handle_of(const Fid& fid) const;

  /// Return a present path of the file, relative to the mount point, "" for the mount point itself.
  Outcome<std::string> path_of(const Fid& fid);

  /// Return the path of one of the file's hard links, and how many there are. Link 0 is path_of(); the
  /// others are looked for in the whole tree.
  struct Link {
    std::string path;
    std::uint32_t count = 1;
  };
  Outcome<Link> link_of(const Fid& fid, std::uint32_t link);

  /// Return the path of an open descriptor relative to the mount point, or nothing if it lies outside.
  [[nodiscard]] std::optional<std::string> relative_path(int fd) const;

 private:
  struct Entry {
    std::string handle;  ///< type and bytes of the file handle; empty where there are none
    std::string path;    ///< relative to the mount point; a hint
  };
  [[nodiscard]] Outcome<std::string> path_of(const Fid& fid, const Fd& fd, const struct stat& st);
  [[nodiscard]] Outcome<Fd> open_entry(const Fid& fid, const Entry& entry);
  [[nodiscard]] bool leads_to(const std::string& path, const struct stat& st) const;
  void scan();
  bool scan_if_due();

  int m_mount_fd;
  std::string m_mount_path;
  const AttributeNames& m_names;
  bool m_has_handles = false;
  HandleTable m_table;  // what was opened last, for clients that can open by handle themselves
  bool m_scanned = false;
  std::chrono::steady_clock::time_point m_next_scan;
  std::unordered_map<Fid, Entry> m_entries;
};

}  // namespace lhsm::emulator
