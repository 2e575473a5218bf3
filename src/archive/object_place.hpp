// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "lhsmtool_mpi/archive/beneath.hpp"

namespace lhsm::archive {

/// Return whether the name leads to the open file.
[[nodiscard]] bool is_named(const Fd& dir, const std::string& name, const Fd& file);

/// The directory in which an object lies, open, and the object's name there. All names given to the
/// calls are plain, so that nothing leads out of the directory.
class ObjectPlace {
 public:
  ObjectPlace(const Beneath& tree, Fd dir, std::string dir_path, std::string name)
      : m_tree(tree), m_dir(std::move(dir)), m_dir_path(std::move(dir_path)), m_name(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return m_name; }
  /// Return the path of an entry for messages.
  [[nodiscard]] std::string full(const std::string& entry) const { return m_tree.full(m_dir_path + '/' + entry); }

  /// Create the file `entry` (0600) for writing; EEXIST when it is there.
  [[nodiscard]] Outcome<Fd> create(const std::string& entry) const;
  /// Give `entry` a second name. Return false when there is no `entry`; `invalid` with EISDIR when it
  /// is a directory.
  [[nodiscard]] Outcome<bool> link(const std::string& entry, const std::string& second) const;
  [[nodiscard]] Status rename(const std::string& from, const std::string& to) const;
  /// Let `name` be what `old` is, which keeps its name; `making` is a name that is free.
  [[nodiscard]] Status put_back(const std::string& old, const std::string& making, const std::string& name) const;
  /// Return false when there is no `entry`.
  [[nodiscard]] Outcome<bool> unlink(const std::string& entry) const;
  /// Return whether `fd` is the file that `entry` names.
  [[nodiscard]] bool names(const std::string& entry, const Fd& fd) const { return is_named(m_dir, entry, fd); }
  /// Return device and inode of what `entry` names, or nothing when there is no such entry.
  [[nodiscard]] Outcome<std::optional<std::pair<dev_t, ino_t>>> identity(const std::string& entry) const;
  [[nodiscard]] Status sync() const;

 private:
  const Beneath& m_tree;
  Fd m_dir;
  std::string m_dir_path;
  std::string m_name;
};

/// Make a directory's entries durable. File systems that cannot sync a directory (EINVAL) keep them
/// as well as they can.
[[nodiscard]] Status sync_directory(const Fd& dir, const std::string& subject);

}  // namespace lhsm::archive
