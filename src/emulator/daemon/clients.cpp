// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/clients.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <tuple>

namespace lhsm::emulator {

PeerProcess Clients::peer_process(int socket) {
  PeerProcess process;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 || credentials.pid <= 1) return process;
  process.pid = credentials.pid;
  auto& known = m_processes[process.pid];
  process.handle = known.lock();
  if (process.handle != nullptr && is_alive(process)) return process;
  if (const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, credentials.pid, 0)); fd >= 0)
    known = process.handle = std::make_shared<const Fd>(fd);
  else if (errno == ESRCH)
    process.pid = 0;  // gone already; its number may be another's soon
  return process;
}

bool is_alive(const PeerProcess& process) {
  if (process.pid == 0) return false;
  if (process.handle == nullptr) return ::kill(process.pid, 0) == 0 || errno == EPERM;
  pollfd ended{**process.handle, POLLIN, 0};
  return ::poll(&ended, 1, 0) == 0;
}

bool is_ending(const PeerProcess& process) {
  constexpr unsigned long k_exiting = 4;  // PF_EXITING, which is set before the first close
  if (process.pid == 0) return false;     // from where we see no processes
  if (!is_alive(process)) return true;
  const auto path = "/proc/" + std::to_string(process.pid) + "/stat";
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  char text[512] = {};
  if (!file || std::fread(text, 1, sizeof text - 1, file.get()) == 0) return !is_alive(process);
  // The name in brackets may hold anything.
  const char* after_name = std::strrchr(text, ')');
  unsigned long flags = 0;
  if (after_name == nullptr || std::sscanf(after_name, ") %*c %*d %*d %*d %*d %*d %lu", &flags) != 1) return false;
  return (flags & k_exiting) != 0;
}

void kill_process(const PeerProcess& process) {
  if (!is_alive(process)) return;
  if (process.handle != nullptr)
    std::ignore = ::syscall(SYS_pidfd_send_signal, **process.handle, SIGKILL, nullptr, 0);
  else
    std::ignore = ::kill(process.pid, SIGKILL);
}

void Clients::add(std::uint64_t session, std::string_view uuid, const PeerProcess& process) {
  m_sessions[session] = {std::string(uuid), process};
}

void Clients::remove(std::uint64_t session, pid_t pid) {
  m_sessions.erase(session);
  if (const auto it = m_processes.find(pid); it != m_processes.end() && it->second.use_count() <= 1)
    m_processes.erase(it);
}

void Clients::gave_fids(std::string_view uuid, const Fid& first, std::uint32_t count) {
  m_blocks[first] = {count, std::string(uuid)};
}

std::optional<std::string> Clients::owner_of(const Fid& volatile_fid) const {
  auto it = m_blocks.upper_bound(volatile_fid);
  if (it == m_blocks.begin()) return std::nullopt;
  --it;
  if (it->first.seq != volatile_fid.seq || volatile_fid.oid - it->first.oid >= it->second.count) return std::nullopt;
  return it->second.uuid;
}

pid_t Clients::pid_of(std::uint64_t session) const {
  const auto it = m_sessions.find(session);
  return it == m_sessions.end() ? 0 : it->second.process.pid;
}

std::optional<std::string> Clients::find(std::string_view who, std::string_view node_uuid,
                                         std::uint64_t except_session) const {
  const auto except = pid_of(except_session);
  const auto matching = [&](auto is_meant) -> std::optional<std::string> {
    for (const auto& [session, entry] : m_sessions)
      if (entry.process.pid != except && is_meant(entry) && is_alive(entry.process)) return entry.uuid;
    return std::nullopt;
  };
  if (const auto found = matching([&](const Entry& entry) { return entry.uuid == who; })) return found;
  if (const auto found = matching([&](const Entry& entry) { return entry.uuid == node_uuid; })) return found;
  return matching([&](const Entry& entry) { return std::to_string(entry.process.pid) == who; });
}

std::vector<PeerProcess> Clients::processes(std::string_view uuid, std::uint64_t except_session) const {
  const auto except = pid_of(except_session);
  std::map<pid_t, PeerProcess> found;
  for (const auto& [session, entry] : m_sessions)
    if (entry.uuid == uuid && entry.process.pid != except && is_alive(entry.process))
      found.emplace(entry.process.pid, entry.process);
  std::vector<PeerProcess> processes;
  processes.reserve(found.size());
  for (auto& [pid, process] : found) processes.push_back(std::move(process));
  return processes;
}

std::map<std::string, std::set<pid_t>> Clients::list(std::uint64_t except_session) const {
  const auto except = pid_of(except_session);
  std::map<std::string, std::set<pid_t>> clients;
  for (const auto& [session, entry] : m_sessions)
    if (entry.process.pid != except && is_alive(entry.process)) clients[entry.uuid].insert(entry.process.pid);
  return clients;
}

std::set<std::uint64_t> Clients::sessions(std::string_view uuid) const {
  std::set<std::uint64_t> found;
  for (const auto& [session, entry] : m_sessions)
    if (entry.uuid == uuid) found.insert(session);
  return found;
}

}  // namespace lhsm::emulator
