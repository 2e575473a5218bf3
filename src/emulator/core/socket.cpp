// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "core/wire.hpp"

namespace lhsm::emulator {
namespace {

/// sun_path holds 108 bytes: the name is made short by way of the directory's descriptor.
Outcome<sockaddr_un> address_in(const Fd& directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = "/proc/self/fd/" + std::to_string(*directory) + "/socket";
  if (path.size() >= sizeof address.sun_path) return errno_error("socket", path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Outcome<Fd> control_dir(int mount_fd) {
  Fd directory(::openat(mount_fd, k_control_dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return errno_error("open", k_control_dir);
  return directory;
}

Outcome<Fd> new_socket(int flags) {
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!socket) return errno_error("socket", k_socket);
  return socket;
}

}  // namespace

Status send_message(int socket, std::string_view bytes, int fd) {
  if (fd < 0) {  // nearly every message: without control data the kernel has less to copy and to check
    ssize_t sent = 0;
    do sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) return errno_error("send", k_socket);
    return {};
  }
  iovec vector{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  ssize_t sent = 0;
  do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return errno_error("send", k_socket);
  return {};
}

Outcome<Incoming> receive_message(int socket) {
  thread_local std::string buffer(k_message_max, '\0');
  iovec vector{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = 0;
  do size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (size < 0 && errno == EINTR);
  if (size < 0) return errno_error("receive", k_socket);
  if (size == 0) return errno_error("receive", k_socket, ENOTCONN);

  Incoming incoming;
  incoming.bytes.assign(buffer.data(), static_cast<std::size_t>(size));
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    incoming.fd = Fd(fd);
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return errno_error("receive", k_socket, EMSGSIZE);
  return incoming;
}

Outcome<Fd> listen_at(int mount_fd) {
  LHSM_TRY_ASSIGN(const Fd directory, control_dir(mount_fd));
  LHSM_TRY_ASSIGN(Fd socket, new_socket(SOCK_NONBLOCK));
  LHSM_TRY_ASSIGN(const sockaddr_un address, address_in(directory));
  if (::unlinkat(*directory, "socket", 0) != 0 && errno != ENOENT) return errno_error("unlink", k_socket);
  if (::bind(*socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno_error("bind", k_socket);
  // Every user may ask; what he may do is decided by his credentials.
  if (::fchmodat(*directory, "socket", 0666, 0) != 0) return errno_error("chmod", k_socket);
  if (::listen(*socket, SOMAXCONN) != 0) return errno_error("listen", k_socket);
  return socket;
}

Outcome<Fd> connect_to(int mount_fd) {
  LHSM_TRY_ASSIGN(const Fd directory, control_dir(mount_fd));
  LHSM_TRY_ASSIGN(Fd socket, new_socket(0));
  LHSM_TRY_ASSIGN(const sockaddr_un address, address_in(directory));
  int rc = 0;
  do rc = ::connect(*socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  while (rc != 0 && errno == EINTR);
  // No daemon: no socket, or one that nobody listens at any more.
  if (rc != 0) return errno_error("connect", k_socket, errno == ENOENT || errno == ECONNREFUSED ? ENOTCONN : errno);
  return socket;
}

}  // namespace lhsm::emulator
