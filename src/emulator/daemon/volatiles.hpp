// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "core/attributes.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

/// Return whether another descriptor of this file is open anywhere. `fd` must be open for reading
/// and be the caller's only one. A write lease is the kernel's own answer to that question.
[[nodiscard]] bool is_open_elsewhere(int fd);

/// Volatile files: DIR/.lustre/fid/<FID>, made by a client, which lives as long as anybody has it
/// open. Nobody announces a close (a killed copytool cannot), so the kernel does, by inotify.
class Volatiles {
 public:
  /// Open the directory and delete what earlier runs left behind.
  static Outcome<Volatiles> open(int mount_fd, const AttributeNames& names);

  /// Open a living volatile for reading. ENOENT when there is none of this FID, or a dead one.
  Outcome<Fd> find(const Fid& fid);
  void remove(const Fid& fid);

  /// Name a volatile after the file whose place it is about to take, and return that name. What a
  /// killed daemon leaves under such a name is deleted only when it is, by its tag, that file's: in
  /// the midst of an exchange it may be somebody's own.
  Outcome<std::string> set_aside(const Fid& fid, const Fid& file);
  void remove_aside(const Fid& file);

  /// Readable when process_events() has something to do.
  [[nodiscard]] int event_fd() const { return *m_events; }
  void process_events();

  [[nodiscard]] int directory() const { return *m_directory; }

 private:
  explicit Volatiles(AttributeNames names) : m_names(std::move(names)) {}
  void remove_if_dead(const char* name);
  void clear_aside(const char* name);
  void remove_all_dead();

  AttributeNames m_names;
  Fd m_directory;
  Fd m_events;
};

}  // namespace lhsm::emulator
