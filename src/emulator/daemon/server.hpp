// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/settings.hpp"
#include "daemon/service.hpp"

namespace lhsm::emulator {

struct ServerOptions {
  std::string mount_path;  ///< absolute, canonical
  std::string fsname = "lustre";
  std::uint32_t mdt_count = 1;
  std::uint32_t ost_count = 4;
  double time_scale = 1;
  std::string xattr_name_space = "trusted";
  Settings settings;
};

/// The daemon of one emulated file system: one thread, one loop over the clients' connections, the
/// coordinators' clock, the kernel's news of volatiles, and the copytools' pipes.
class Server {
 public:
  /// Listen; from then on clients can connect. Throws Fatal.
  explicit Server(const ServerOptions& options, Fd mount);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Serve until SIGTERM or SIGINT; then tell copytools, and remove socket and dead volatiles.
  void run();

 private:
  void watch(int fd, std::uint32_t events, int operation);
  void accept_clients();
  void serve(std::uint64_t id);
  void send(std::uint64_t id, const Reply& reply);
  void end_session(int fd);
  void arm_timer(std::optional<TimePoint> next);

  Fd m_mount;
  ScaledClock m_clock;
  Fd m_epoll;
  Fd m_timer;
  Fd m_signals;
  Fd m_listener;
  std::unique_ptr<FileStore> m_store;
  std::unique_ptr<Volatiles> m_volatiles;
  std::unique_ptr<LayoutSwap> m_swaps;
  std::unique_ptr<AgentPipes> m_pipes;
  std::unique_ptr<Service> m_service;
  // By descriptor and a count that no descriptor's next user shares.
  std::unordered_map<int, std::unique_ptr<Session>> m_sessions;
  std::unordered_map<int, bool> m_watched_pipes;
  std::uint64_t m_next_session = 1;
  bool m_is_accepting = true;
  std::optional<TimePoint> m_armed;  // what the timer is set to
};

}  // namespace lhsm::emulator
