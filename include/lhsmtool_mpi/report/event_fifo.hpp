// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Events as lines of JSON in a fifo, the ones that monitors of lhsmtool_posix read.
#pragma once

#include <ctime>
#include <memory>
#include <mutex>
#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::report {

/// Return the line of an event, without its end: at most PIPE_BUF - 1 bytes, so that a fifo takes it
/// whole or not at all. `when` is seconds since 1970.
[[nodiscard]] std::string event_line(const comm::Event& event, std::time_t when);
[[nodiscard]] std::string registration_line(bool registered, std::size_t archives, const std::string& mount_point,
                                            const std::string& uuid, std::time_t when);

/// Any thread. A slow reader, or none, costs events and nothing else.
class EventFifo {
 public:
  /// Open the fifo `path`, or make it (0644). EEXIST: there is something else, or its permission bits are
  /// not 0644. Ignores SIGPIPE from now on.
  [[nodiscard]] static Outcome<std::unique_ptr<EventFifo>> open(std::string path);
  /// Unlinks the fifo if open() made it.
  ~EventFifo();
  EventFifo(const EventFifo&) = delete;
  EventFifo& operator=(const EventFifo&) = delete;

  void write(std::string line);
  /// How many lines nobody could take.
  [[nodiscard]] std::uint64_t lost() const;

 private:
  EventFifo(std::string path, Fd fd, bool made) : m_path(std::move(path)), m_fd(std::move(fd)), m_made(made) {}

  std::string m_path;
  Fd m_fd;
  bool m_made;
  mutable std::mutex m_mutex;
  std::uint64_t m_lost = 0;
};

}  // namespace lhsm::report
