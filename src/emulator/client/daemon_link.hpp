// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "client/mount.hpp"

namespace lhsm::emulator {

/// A connection for one call of a program that knows nothing of the emulator. Such programs close and
/// replace descriptors at will, so none is kept. Without a daemon every answer is -ENOTCONN.
/// For calls with short answers and without a descriptor in them.
class DaemonLink {
 public:
  explicit DaemonLink(const Mount& mount);

  [[nodiscard]] Answer ask(const Writer& request, int fd = -1);
  /// The same, but end with -EINTR when a signal comes that ends such a wait on Lustre.
  [[nodiscard]] Answer ask_abortable(const Writer& request);

 private:
  Answer receive();
  Fd m_socket;
};

}  // namespace lhsm::emulator
