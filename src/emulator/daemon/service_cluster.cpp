// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What happens to clients as a whole, and the locks of groups of them.
#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <memory>

#include "daemon/open_files.hpp"
#include "daemon/service.hpp"
#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::emulator {

void Service::session_ended(const Session& session) {
  m_groups.forget(session.id);
  std::erase_if(m_waiters, [&session](const auto& waiter) { return waiter.second == session.id; });
  m_clients.remove(session.id, session.process.pid);
}

Service::Result Service::kill_client(Reader& in, const Session& session) {
  const auto who = in.get_text();
  const auto node = in.get_text();
  const bool really = in.get<std::uint8_t>() != 0;
  if (!in.ok()) return failed(-EPROTO);
  if (!session.caller.is_admin()) return failed(-EPERM);
  const auto uuid = m_clients.find(who, node, session.id);
  if (!uuid) return failed(-ESRCH);
  const auto processes = m_clients.processes(*uuid, session.id);
  Reply reply;
  reply.results.put(static_cast<std::uint32_t>(processes.size()));
  for (const auto& process : processes) {
    if (really) kill_process(process);
    reply.results.put(static_cast<std::int32_t>(process.pid));
  }
  return reply;
}

Service::Result Service::evict_client(Reader& in, const Session& session) {
  const auto who = in.get_text();
  const auto node = in.get_text();
  if (!in.ok()) return failed(-EPROTO);
  if (!session.caller.is_admin()) return failed(-EPERM);
  auto uuid = m_clients.find(who, node, session.id);
  // An agent whose processes are gone is a client, too.
  for (const auto& mdt : m_mdts)
    for (const auto& agent : mdt->agents().list())
      if (!uuid && (agent.uuid == who || agent.uuid == node)) uuid = agent.uuid;
  if (!uuid) return failed(-ESRCH);

  const auto open = files_of(*uuid, session.id);
  const auto lost = lose_volatiles(*uuid, open);
  const auto dirty = mark_dirty(open.own);
  for (const auto id : m_clients.sessions(*uuid)) m_groups.fail_waiting(id, -EIO);
  drop_group_locks(*uuid, open.own, session.id);
  for (const auto& mdt : m_mdts) {
    const auto& agents = mdt->agents().list();
    const auto it = std::find_if(agents.begin(), agents.end(), [&](const auto& agent) { return agent.uuid == *uuid; });
    if (it == agents.end()) continue;
    // The client's kernel registers it again as soon as it is connected: a new entry, with new counters.
    const auto archives = it->archives;
    mdt->unregister_agent(*uuid);
    std::ignore = mdt->register_agent(*uuid, archives);
  }
  log::info("client {} evicted: {} volatiles lost, {} files dirty", *uuid, lost, dirty);
  Reply reply;
  reply.results.put(*uuid).put(lost).put(dirty);
  return reply;
}

Service::ClientFiles Service::files_of(const std::string& uuid, std::uint64_t session) const {
  ClientFiles files;
  struct stat st {};
  if (::fstat(m_volatiles.directory(), &st) != 0) return files;
  for (const auto& [client, pids] : m_clients.list(session))
    for (const auto pid : pids) {
      auto found = open_files(pid, st.st_dev);
      if (client == uuid)
        files.own.insert(files.own.end(), found.begin(), found.end());
      else
        for (const auto& file : found) files.of_others.emplace(file.st.st_ino, client);
    }
  return files;
}

std::uint32_t Service::lose_volatiles(const std::string& uuid, const ClientFiles& files) {
  std::uint32_t lost = 0;
  const int again = ::openat(m_volatiles.directory(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(again < 0 ? nullptr : ::fdopendir(again), &::closedir);
  while (const dirent* entry = listing ? ::readdir(listing.get()) : nullptr) {
    const auto fid = Fid::parse(entry->d_name);
    struct stat st {};
    if (!fid || ::fstatat(again, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const bool has_it_open = std::any_of(files.own.begin(), files.own.end(),
                                         [&st](const OpenFile& file) { return file.st.st_ino == st.st_ino; });
    if (!has_it_open && m_clients.owner_of(*fid) != uuid) continue;
    if (m_cluster != nullptr) enter_lost(*m_cluster, uuid, *fid);
    // As on Lustre it lives on while another client has it open.
    if (is_held_by_others(files, st.st_ino, *fid)) continue;
    m_volatiles.remove(*fid);
    ++lost;
  }
  return lost;
}

bool Service::is_held_by_others(const ClientFiles& files, ino_t inode, const Fid& fid) const {
  const auto [first, last] = files.of_others.equal_range(inode);
  return std::any_of(first, last, [&](const auto& held) {
    return m_cluster == nullptr || !is_lost(*m_cluster, client_key(held.second), fid);
  });
}

void Service::drop_if_lost(const Fid& fid) {
  if (m_cluster == nullptr || m_cluster->lost_count == 0 || !is_lost(*m_cluster, k_any_client, fid)) return;
  struct stat st {};
  if (::fstatat(m_volatiles.directory(), fid.str().c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (!is_held_by_others(files_of({}, 0), st.st_ino, fid)) m_volatiles.remove(fid);
}

std::uint32_t Service::mark_dirty(const std::vector<OpenFile>& files) {
  std::uint32_t dirty = 0;
  for (const auto& file : files) {
    const Fd opened = file.is_writable ? reopen(file) : Fd();
    // What has no tag was never asked about: it has no state.
    if (!opened || !read_tag(inode_path(*opened), m_store.names())) continue;
    const auto fid = m_store.fid_of(*opened, -1);
    if (!fid) continue;
    const auto view = m_store.view(*fid);
    if (!view) continue;
    auto state = view->hsm;
    if ((state.flags & (abi::HS_EXISTS | abi::HS_DIRTY | abi::HS_RELEASED)) != abi::HS_EXISTS) continue;
    state.flags |= abi::HS_DIRTY;
    if (m_store.set_hsm(*fid, state)) ++dirty;
  }
  return dirty;
}

void Service::drop_group_locks(const std::string& uuid, const std::vector<OpenFile>& files, std::uint64_t session) {
  const auto locks = m_groups.list();
  if (locks.empty()) return;
  const auto processes = m_clients.processes(uuid, session);
  for (const auto& [fid, group] : locks) {
    struct stat st {};
    if (const auto file = open_to_lock(fid); !file || ::fstat(**file, &st) != 0) continue;
    for (const auto& file : files) {
      if (file.st.st_ino != st.st_ino) continue;
      const auto holder = std::find_if(processes.begin(), processes.end(),
                                       [&file](const PeerProcess& process) { return process.pid == file.pid; });
      if (holder == processes.end() || holder->handle == nullptr) continue;
      const Fd same = share(**holder->handle, file);
      if (same)
        m_groups.drop(fid, *same);
      else
        log::warning("group lock of {} on {} stays: {}", uuid, fid.bracketed(), errno_name(errno));
    }
  }
}

Outcome<Fd> Service::open_to_lock(const Fid& fid) {
  if (!m_store.knows(fid)) return m_volatiles.find(fid);
  LHSM_TRY_ASSIGN(const Fd found, m_store.open(fid));
  Fd file(::open(inode_path(*found).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) return errno_error("open", fid.bracketed());
  return file;
}

Service::Result Service::group_lock(Reader& in, const Session& session, Incoming& message) {
  const auto group = in.get<std::uint64_t>();
  const bool may_wait = in.get<std::uint8_t>() == 0;
  if (!in.ok() || !message.fd) return failed(-EPROTO);
  const auto fid = m_store.fid_of(*message.fd, -1);
  if (!fid) return failed(-fid.error().sys_errno);
  const auto rc = m_groups.lock(*fid, std::move(message.fd), group, may_wait, session.id,
                                [this, id = session.id](int result) { m_send_later(id, failed(result)); });
  if (!rc) return std::nullopt;
  return failed(*rc);
}

Service::Result Service::group_unlock(Reader& in, Incoming& message) {
  const auto group = in.get<std::uint64_t>();
  if (!in.ok() || !message.fd) return failed(-EPROTO);
  const auto fid = m_store.fid_of(*message.fd, -1);
  if (!fid) return failed(-fid.error().sys_errno);
  return failed(m_groups.unlock(*fid, *message.fd, group));
}

Service::Result Service::after_group_locks(const Fid& fid, const Session& session, std::function<Result()> action) {
  m_groups.when_free(fid, session.id, [this, &session, id = session.id, action = std::move(action)](int) {
    // It may have been the lock of the very process that waits, freed by its death: then nothing is sent.
    if (is_ending(session.process)) return;
    m_store.new_round();
    auto reply = action();
    keep_records();
    if (reply) m_send_later(id, std::move(*reply));
  });
  return std::nullopt;
}

}  // namespace lhsm::emulator
