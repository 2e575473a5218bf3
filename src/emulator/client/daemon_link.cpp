// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/daemon_link.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>

namespace lhsm::emulator {

DaemonLink::DaemonLink(const Mount& mount) {
  const Fd root(::open(mount.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return;
  auto socket = connect_to(*root);
  if (!socket) return;
  m_socket = std::move(*socket);
  Writer hello;
  hello.put(Op::hello).put(k_protocol).put(client_uuid());
  if (ask(hello).rc != 0) m_socket.reset();
}

Answer DaemonLink::ask(const Writer& request, int fd) {
  Answer answer;
  answer.rc = -ENOTCONN;
  if (!m_socket || !send_message(*m_socket, request.bytes(), fd)) return answer;
  return receive();
}

Answer DaemonLink::ask_abortable(const Writer& request) {
  Answer answer;
  answer.rc = -ENOTCONN;
  if (!m_socket || !send_message(*m_socket, request.bytes())) return answer;
  sigset_t mask;
  sigset_t harmless;
  sigfillset(&harmless);
  for (const int fatal : {SIGINT, SIGTERM, SIGQUIT, SIGALRM}) sigdelset(&harmless, fatal);
  if (::pthread_sigmask(SIG_SETMASK, nullptr, &mask) != 0) return answer;
  sigorset(&mask, &mask, &harmless);
  pollfd wait{*m_socket, POLLIN, 0};
  if (::ppoll(&wait, 1, nullptr, &mask) > 0) return receive();
  answer.rc = -errno;
  return answer;
}

Answer DaemonLink::receive() {
  Answer answer;
  answer.rc = -ENOTCONN;
  // Short answers only, and no buffer of the thread's: this may be called while the thread ends.
  char buffer[512];
  ssize_t size = 0;
  do size = ::recv(*m_socket, buffer, sizeof buffer, 0);
  while (size < 0 && errno == EINTR);
  if (size <= 0) return answer;
  answer.bytes.assign(buffer, static_cast<std::size_t>(size));
  Reader reader(answer.bytes);
  answer.rc = reader.get<std::int32_t>();
  if (!reader.ok()) answer.rc = -EPROTO;
  return answer;
}

}  // namespace lhsm::emulator
