// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/cluster_state.hpp"
#include "core/coordinator.hpp"
#include "core/socket.hpp"
#include "core/wire.hpp"
#include "daemon/agent_pipes.hpp"
#include "daemon/clients.hpp"
#include "daemon/file_store.hpp"
#include "daemon/last_unlinks.hpp"
#include "daemon/group_locks.hpp"
#include "daemon/layout_swap.hpp"
#include "daemon/open_files.hpp"
#include "daemon/parameters.hpp"
#include "daemon/record_journal.hpp"
#include "daemon/scaled_clock.hpp"
#include "daemon/volatiles.hpp"

namespace lhsm::emulator {

/// One connection of a client process.
struct Session {
  std::uint64_t id = 0;
  Fd socket;
  Caller caller;
  std::string agent;  ///< uuid of its client
  PeerProcess process;
};

struct Reply {
  int rc = 0;
  Writer results;
  Fd fd;
};

/// What every Op does: the seam between the messages, the coordinators and the files.
class Service {
 public:
  /// Sends a reply that could not be given at once; the session may be gone.
  using SendLater = std::function<void(std::uint64_t session, Reply reply)>;

  Service(std::string fsname, FileStore& store, Volatiles& volatiles, LayoutSwap& swaps, AgentPipes& pipes,
          const ScaledClock& clock, SendLater send_later);

  /// Make the coordinators, with the records that an earlier run left in the mount.
  Status start_coordinators(int mount_fd, const Settings& settings);

  /// Handle a request; nothing is returned when the reply comes later.
  std::optional<Reply> handle(Session& session, Incoming& message);

  void session_began(Session& session) { session.process = m_clients.peer_process(*session.socket); }
  /// Forget what the session waits for and who was behind it.
  void session_ended(const Session& session);

  /// Readable when locks_freed() has something to do.
  [[nodiscard]] int lock_event_fd() const { return m_groups.event_fd(); }
  void locks_freed() { m_groups.process_events(); }

  /// Share the state of the modelled cluster; without one there is no model.
  void set_cluster(ClusterState* state) { m_cluster = state; }

  /// Let the coordinators do what is due; return when they have to be called again.
  std::optional<TimePoint> tick();


  /// Readable when a file has gone whose last unlink was told; then process_last_unlinks() is to be called.
  [[nodiscard]] int last_unlinks_event_fd() const { return m_last_unlinks.event_fd(); }
  void process_last_unlinks();

 private:
  using Result = std::optional<Reply>;
  // service_files.cpp
  Result fid_of(Reader& in, Incoming& message);
  Result open_fid(Reader& in, const Session& session);
  Result path_of(Reader& in);
  Result volatile_fids(Reader& in, const Session& session);
  Result state_get(Reader& in);
  Result state_set(Reader& in, const Session& session);
  Result release(Reader& in, const Session& session);
  Result import_file(Reader& in, const Session& session);
  Result set_data_version(Reader& in, const Session& session);
  // service.cpp
  Result hello(Reader& in, Session& session);
  Result get_param(Reader& in);
  Result set_param(Reader& in, const Session& session);
  Result status(const Session& session);
  Result restart_mdt(Reader& in, const Session& session);
  Result dispatch(Op op, Reader& in, Session& session, Incoming& message);
  void keep_records();
  // service_actions.cpp
  Result request(Reader& in, const Session& session);
  Result current_action(Reader& in);
  Result copy_start(Reader& in, const Session& session);
  Result progress(Reader& in, const Session& session);
  Result copy_end(Reader& in, const Session& session);
  Result report(const ProgressReport& report, const Session& session, int rc_on_success);
  Result register_agent(Reader& in, Session& session, Incoming& message);
  Result unregister_agent(Reader& in, const Session& session);
  // service_readers.cpp
  Result wait_restore(Reader& in, const Session& session);
  void answer_waiters();
  Result released_of(const Incoming& message);
  // last_unlinks.cpp
  Result last_unlink(const Incoming& message);
  Result begin_copy(const abi::hsm_copy& copy, const Session& session);
  Result end_copy(const abi::hsm_copy& copy, const Session& session);
  // service_cluster.cpp
  Result kill_client(Reader& in, const Session& session);
  Result evict_client(Reader& in, const Session& session);
  Result group_lock(Reader& in, const Session& session, Incoming& message);
  Result group_unlock(Reader& in, Incoming& message);
  Outcome<Fd> open_to_lock(const Fid& fid);
  struct ClientFiles {
    std::vector<OpenFile> own;                    ///< of the client's processes
    std::multimap<ino_t, std::string> of_others;  ///< inode, client that has it open
  };
  [[nodiscard]] ClientFiles files_of(const std::string& uuid, std::uint64_t session) const;
  std::uint32_t lose_volatiles(const std::string& uuid, const ClientFiles& files);
  [[nodiscard]] bool is_held_by_others(const ClientFiles& files, ino_t inode, const Fid& fid) const;
  /// Remove a volatile of which only evicted clients have descriptors left.
  void drop_if_lost(const Fid& fid);
  std::uint32_t mark_dirty(const std::vector<OpenFile>& files);
  void drop_group_locks(const std::string& uuid, const std::vector<OpenFile>& files, std::uint64_t session);
  /// Act when nobody holds a group lock on the file any more, and the session still lives.
  Result after_group_locks(const Fid& fid, const Session& session, std::function<Result()> action);

  [[nodiscard]] Coordinator* mdt_for(const Fid& fid);

  std::string m_fsname;
  FileStore& m_store;
  Volatiles& m_volatiles;
  LayoutSwap& m_swaps;
  AgentPipes& m_pipes;
  const ScaledClock& m_clock;
  SendLater m_send_later;
  std::vector<std::unique_ptr<Coordinator>> m_mdts;
  std::vector<std::unique_ptr<RecordJournal>> m_journals;  // one for each MDT
  bool m_are_records_kept = true;
  Parameters m_parameters;
  std::vector<std::pair<Fid, std::uint64_t>> m_waiters;  // file, session
  LastUnlinks m_last_unlinks;
  Clients m_clients;
  GroupLocks m_groups;
  ClusterState* m_cluster = nullptr;
};

[[nodiscard]] inline Reply failed(int negative_errno) {
  Reply reply;
  reply.rc = negative_errno;
  return reply;
}

}  // namespace lhsm::emulator
