// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/server.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <csignal>

#include <array>

#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::emulator {
namespace {

constexpr int k_idle_ms = 20;  ///< after which files are closed that were left open for the next call

template <class T>
T must(Outcome<T> outcome) {
  if (!outcome) throw Fatal(outcome.error());
  return std::move(*outcome);
}
void must(Status status) {
  if (!status) throw Fatal(status.error());
}

Fd must_fd(int fd, const char* call) {
  if (fd < 0) throw Fatal(std::string(call) + ": " + errno_name(errno));
  return Fd(fd);
}

Fd signals_as_events() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) throw Fatal("sigprocmask: " + errno_name(errno));
  // A copytool that dies is an EPIPE; breaking a lease of ours is nobody's business.
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR || std::signal(SIGIO, SIG_IGN) == SIG_ERR)
    throw Fatal("signal: " + errno_name(errno));
  return must_fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd");
}

Caller caller_of(int socket) {
  Caller caller;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    caller.uid = static_cast<uid_t>(-1);
    return caller;
  }
  caller.uid = credentials.uid;
  caller.admin = credentials.uid == 0 || credentials.uid == ::geteuid();
  caller.gids.resize(64 * 1024);
  size = static_cast<socklen_t>(caller.gids.size() * sizeof(gid_t));
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, caller.gids.data(), &size) != 0) size = 0;
  caller.gids.resize(size / sizeof(gid_t));
  caller.gids.push_back(credentials.gid);
  caller.gids.shrink_to_fit();
  return caller;
}

/// Each process that waits costs descriptors; the usual limit is for programs that need few.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warning("setrlimit: {}", errno_name(errno));
}

}  // namespace

Server::Server(const ServerOptions& options, Fd mount)
    : m_mount(std::move(mount)),
      m_clock(options.time_scale),
      m_epoll(must_fd(::epoll_create1(EPOLL_CLOEXEC), "epoll_create")),
      m_timer(must_fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")),
      m_signals(signals_as_events()) {
  raise_descriptor_limit();
  auto allocator = must(FidAllocator::load(*m_mount, options.mdt_count));
  m_store = std::make_unique<FileStore>(*m_mount, options.mount_path, AttributeNames(options.xattr_name_space),
                                        options.mdt_count, std::move(allocator));
  m_volatiles = std::make_unique<Volatiles>(must(Volatiles::open(*m_mount, m_store->names())));
  m_swaps = std::make_unique<LayoutSwap>(*m_store, *m_volatiles, *m_mount);
  m_pipes = std::make_unique<AgentPipes>([this](int fd, bool wants_write) {
    auto& is_watched = m_watched_pipes[fd];
    if (is_watched == wants_write) return;
    is_watched = wants_write;
    watch(fd, EPOLLOUT, wants_write ? EPOLL_CTL_ADD : EPOLL_CTL_DEL);
  });
  m_service = std::make_unique<Service>(options.fsname, *m_store, *m_volatiles, *m_swaps, *m_pipes, m_clock,
                                        [this](std::uint64_t id, const Reply& reply) { send(id, reply); });
  must(m_service->start_coordinators(*m_mount, options.settings));
  if (const auto cluster = make_cluster(*m_mount, options.ost_count))
    m_service->set_cluster(*cluster);
  else
    log::warning("no model of a slow cluster: {}", cluster.error().describe());
  m_listener = must(listen_at(*m_mount));
  for (const int fd : {*m_timer, *m_signals, *m_listener, m_volatiles->event_fd(), m_swaps->event_fd(),
                       m_service->last_unlinks_event_fd(), m_service->lock_event_fd()})
    watch(fd, EPOLLIN, EPOLL_CTL_ADD);
}

Server::~Server() = default;

void Server::watch(int fd, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (::epoll_ctl(*m_epoll, operation, fd, &event) != 0 && operation == EPOLL_CTL_ADD)
    throw Fatal("epoll_ctl: " + errno_name(errno));
}

void Server::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    arm_timer(m_service->tick());
    const int count =
        ::epoll_wait(*m_epoll, events.data(), static_cast<int>(events.size()), m_store->has_idle() ? k_idle_ms : -1);
    if (count < 0 && errno != EINTR) throw Fatal("epoll_wait: " + errno_name(errno));
    if (count == 0) m_store->close_idle();
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == *m_signals) {
        m_swaps->finish();
        m_store->clear_handle_table();
        m_pipes->shut_down();
        if (::unlinkat(*m_mount, k_socket, 0) != 0) log::warning("unlink {}: {}", k_socket, errno_name(errno));
        return;
      }
      if (fd == *m_listener) {
        accept_clients();
      } else if (fd == *m_timer) {
        std::uint64_t expirations = 0;
        std::ignore = ::read(fd, &expirations, sizeof expirations);  // tick() looks at the clock itself
        m_armed.reset();
      } else if (fd == m_volatiles->event_fd()) {
        m_volatiles->process_events();
      } else if (fd == m_swaps->event_fd()) {
        m_swaps->process_events();
      } else if (fd == m_service->last_unlinks_event_fd()) {
        m_service->process_last_unlinks();
      } else if (fd == m_service->lock_event_fd()) {
        m_service->locks_freed();
      } else if (const auto it = m_watched_pipes.find(fd); it != m_watched_pipes.end() && it->second) {
        std::ignore = m_pipes->flush(fd);  // a dead copytool is found out at the next send
      } else if (const auto session = m_sessions.find(fd); session != m_sessions.end()) {
        serve(session->second->id);
      }
    }
  }
}

void Server::arm_timer(std::optional<TimePoint> next) {
  if (next == m_armed) return;
  m_armed = next;
  itimerspec spec{};
  if (next) {
    // Zero would disarm it.
    const auto wait = std::max(m_clock.until(*next), std::chrono::nanoseconds(1));
    spec.it_value.tv_sec = wait.count() / 1'000'000'000;
    spec.it_value.tv_nsec = wait.count() % 1'000'000'000;
  }
  if (::timerfd_settime(*m_timer, 0, &spec, nullptr) != 0) throw Fatal("timerfd_settime: " + errno_name(errno));
}

void Server::accept_clients() {
  for (;;) {
    Fd socket(::accept4(*m_listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EAGAIN) return;
      log::warning("accept: {}", errno_name(errno));
      if (errno == EMFILE || errno == ENFILE) {
        // It would be ready again and again: others wait until somebody has gone.
        watch(*m_listener, EPOLLIN, EPOLL_CTL_DEL);
        m_is_accepting = false;
      }
      return;
    }
    const int fd = *socket;
    auto session = std::make_unique<Session>();
    // The low half finds the session, the high half tells whether it is still the same one.
    session->id = (m_next_session++ << 32U) | static_cast<std::uint32_t>(fd);
    session->caller = caller_of(fd);
    session->socket = std::move(socket);
    m_service->session_began(*session);
    m_sessions[fd] = std::move(session);
    watch(fd, EPOLLIN, EPOLL_CTL_ADD);
  }
}

void Server::serve(std::uint64_t id) {
  const int fd = static_cast<int>(id & 0xffffffffU);
  Session& session = *m_sessions.at(fd);
  auto message = receive_message(fd);
  if (!message) {
    if (message.error().sys_errno != EAGAIN) end_session(fd);
    return;
  }
  auto reply = m_service->handle(session, *message);
  if (reply) send(id, *reply);
}

void Server::send(std::uint64_t id, const Reply& reply) {
  const auto it = m_sessions.find(static_cast<int>(id & 0xffffffffU));
  if (it == m_sessions.end() || it->second->id != id) return;
  Writer message;
  message.put(static_cast<std::int32_t>(reply.rc));
  const std::string bytes = message.bytes() + reply.results.bytes();
  // A client waits for its reply before it asks again, so its socket always has room.
  const auto sent = send_message(*it->second->socket, bytes, reply.fd ? *reply.fd : -1);
  if (!sent) end_session(it->first);
}

void Server::end_session(int fd) {
  const auto it = m_sessions.find(fd);
  m_service->session_ended(*it->second);
  m_sessions.erase(it);
  if (m_is_accepting) return;
  watch(*m_listener, EPOLLIN, EPOLL_CTL_ADD);
  m_is_accepting = true;
}

}  // namespace lhsm::emulator
