// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::emulator {

/// A message as it came, with the descriptor that was passed along, if any.
struct Incoming {
  std::string bytes;
  Fd fd;
};

/// Send one message, with `fd` if it is not -1. Never raises SIGPIPE; interruptions are retried.
Status send_message(int socket, std::string_view bytes, int fd = -1);

/// Receive one message. An ended connection is ENOTCONN; EAGAIN comes through on non-blocking sockets.
Outcome<Incoming> receive_message(int socket);

/// Names under DIR, the mount point of an emulated file system.
inline constexpr const char* k_control_dir = ".lustre";
inline constexpr const char* k_fid_dir = ".lustre/fid";
inline constexpr const char* k_marker = ".lustre/lhsm_emulator";
inline constexpr const char* k_socket = ".lustre/socket";

/// Make a socket and bind or connect it to DIR/.lustre/socket, however long the path of DIR is.
Outcome<Fd> listen_at(int mount_fd);
Outcome<Fd> connect_to(int mount_fd);

}  // namespace lhsm::emulator
