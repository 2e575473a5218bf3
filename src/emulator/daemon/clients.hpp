// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

/// The process at the other end of a connection. The descriptor (pidfd) means this process alone,
/// whoever gets its number later; it is null where the kernel has none.
struct PeerProcess {
  pid_t pid = 0;
  std::shared_ptr<const Fd> handle;
};

/// Which processes each client consists of, as far as they talk to the daemon, and whose volatiles are whose.
class Clients {
 public:
  /// Return the process at the other end of a connection.
  [[nodiscard]] PeerProcess peer_process(int socket);
  void add(std::uint64_t session, std::string_view uuid, const PeerProcess& process);
  void remove(std::uint64_t session, pid_t pid);

  void gave_fids(std::string_view uuid, const Fid& first, std::uint32_t count);
  /// Return the client that was given the FID for a volatile, if any was since the daemon's start.
  [[nodiscard]] std::optional<std::string> owner_of(const Fid& volatile_fid) const;

  /// Return the uuid of the client with a living process that is meant: by uuid, by the uuid of its
  /// node, or by the number of one of its processes. The session's own process is not looked at.
  [[nodiscard]] std::optional<std::string> find(std::string_view who, std::string_view node_uuid,
                                                std::uint64_t except_session) const;

  /// Return a client's living processes, each once; that of a session left out.
  [[nodiscard]] std::vector<PeerProcess> processes(std::string_view uuid, std::uint64_t except_session) const;
  /// Return the numbers of the living processes of every client, that of a session left out.
  [[nodiscard]] std::map<std::string, std::set<pid_t>> list(std::uint64_t except_session) const;
  [[nodiscard]] std::set<std::uint64_t> sessions(std::string_view uuid) const;

 private:
  struct Entry {
    std::string uuid;
    PeerProcess process;
  };
  struct Block {
    std::uint32_t count = 0;
    std::string uuid;
  };
  [[nodiscard]] pid_t pid_of(std::uint64_t session) const;

  std::unordered_map<std::uint64_t, Entry> m_sessions;
  std::unordered_map<pid_t, std::weak_ptr<const Fd>> m_processes;  // one handle for all connections of each
  std::map<Fid, Block> m_blocks;                                   // by their first FID
};

/// Return whether the process is still there.
[[nodiscard]] bool is_alive(const PeerProcess& process);

/// Return whether the process is gone or on its way: its descriptors are being closed, one by one.
[[nodiscard]] bool is_ending(const PeerProcess& process);

/// Kill -9. A process that is gone is as good.
void kill_process(const PeerProcess& process);

}  // namespace lhsm::emulator
