// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <list>

#include "core/coordinator.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::emulator {

/// The write ends of the copytools' pipes. As in the Lustre client, every pipe of a client gets every
/// message for it; what a slow reader has not taken waits here, so that nobody else waits for him. What
/// was sent to a pipe reaches it also when its copytool unregisters, as the kernel's unregister waits for it.
class AgentPipes final : public AgentLink {
 public:
  /// Tells the loop that a pipe is full (true: call flush() when it is writable) or drained.
  using Watch = std::function<void(int pipe_fd, bool wants_write)>;
  explicit AgentPipes(Watch watch) : m_watch(std::move(watch)) {}

  Status add(std::string_view agent, pid_t pid, Fd pipe);
  void remove(std::string_view agent, pid_t pid);

  bool deliver(const std::string& agent, const std::string& message) override;
  /// Write on; return whether the pipe is still known.
  bool flush(int pipe_fd);
  /// Send every pipe the message with which an unmounted client ends its copytools.
  void shut_down();

 private:
  struct Pipe {
    std::string agent;
    pid_t pid = -1;
    Fd fd;
    std::deque<std::string> queue;
    std::size_t offset = 0;  ///< bytes of the first message that are written
    ino_t inode = 0;         ///< of the pipe itself
    bool has_left = false;   ///< gets nothing more, but all of what was sent before
  };
  enum class Drain { empty, waiting, broken };
  static Drain drain(Pipe& pipe);
  bool settle(std::list<Pipe>::iterator it);

  Watch m_watch;
  std::list<Pipe> m_pipes;
};

}  // namespace lhsm::emulator
