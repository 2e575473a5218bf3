// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

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
  static Outcome<Volatiles> open(int mount_fd);

  /// Open a living volatile for reading. ENOENT when there is none of this FID, or a dead one.
  Outcome<Fd> find(const Fid& fid);
  void remove(const Fid& fid);

  /// Readable when process_events() has something to do.
  [[nodiscard]] int event_fd() const { return *m_events; }
  void process_events();

  [[nodiscard]] int directory() const { return *m_directory; }

 private:
  Volatiles() = default;
  void remove_if_dead(const char* name);
  void remove_all_dead();

  Fd m_directory;
  Fd m_events;
};

}  // namespace lhsm::emulator
