// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/service.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "daemon/status_json.hpp"
#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::emulator {

Service::Service(std::string fsname, FileStore& store, Volatiles& volatiles, LayoutSwap& swaps, AgentPipes& pipes,
                 const ScaledClock& clock, SendLater send_later)
    : m_fsname(std::move(fsname)),
      m_store(store),
      m_volatiles(volatiles),
      m_swaps(swaps),
      m_pipes(pipes),
      m_clock(clock),
      m_send_later(std::move(send_later)),
      m_parameters(m_fsname, m_mdts),
      m_groups([this](const Fid& fid) { return open_to_lock(fid); }) {}

Status Service::start_coordinators(int mount_fd, const Settings& settings) {
  for (std::uint32_t mdt = 0; mdt < m_store.mdt_count(); ++mdt) {
    const auto now = m_clock.now();
    std::vector<Record> records;
    LHSM_TRY_ASSIGN(auto journal, RecordJournal::open(mount_fd, mdt, now, records));
    m_journals.push_back(std::make_unique<RecordJournal>(std::move(journal)));
    LHSM_TRY_ASSIGN(const auto cookie, m_store.first_cookie(mdt));
    m_mdts.push_back(std::make_unique<Coordinator>(m_fsname, m_store, m_pipes, cookie, now));
    auto& coordinator = *m_mdts.back();
    coordinator.settings = settings;
    coordinator.keep_records([to = m_journals.back().get()](const Record& record) { to->add(record); });
    coordinator.recover(std::move(records), now);
  }
  keep_records();
  return {};
}

void Service::keep_records() {
  std::string lost;
  for (std::size_t mdt = 0; mdt < m_mdts.size(); ++mdt)
    if (const auto kept = m_journals[mdt]->flush(m_mdts[mdt]->log()); !kept) lost = kept.error().describe();
  // Once, when it begins and when it ends: this is called for each request, and the disk may be full.
  if (lost.empty() == m_are_records_kept) return;
  m_are_records_kept = lost.empty();
  if (m_are_records_kept)
    log::info("request records are kept again");
  else
    log::warning("request records would not survive a kill: {}", lost);
}

Coordinator* Service::mdt_for(const Fid& fid) {
  const auto mdt = mdt_of(fid, m_store.mdt_count());
  return mdt ? m_mdts[*mdt].get() : nullptr;
}

std::optional<Reply> Service::handle(Session& session, Incoming& message) {
  Reader in(message.bytes);
  const auto op = in.get<Op>();
  if (!in.ok()) return failed(-EPROTO);
  m_store.new_round();
  auto reply = dispatch(op, in, session, message);
  keep_records();  // what a reply tells of must survive a kill
  return reply;
}

Service::Result Service::dispatch(Op op, Reader& in, Session& session, Incoming& message) {
  switch (op) {
    case Op::hello: return hello(in, session);
    case Op::fid_of: return fid_of(in, message);
    case Op::open_fid: return open_fid(in, session);
    case Op::path_of: return path_of(in);
    case Op::volatile_fids: return volatile_fids(in, session);
    case Op::request: return request(in, session);
    case Op::state_get: return state_get(in);
    case Op::state_set: return state_set(in, session);
    case Op::current_action: return current_action(in);
    case Op::copy_start: return copy_start(in, session);
    case Op::progress: return progress(in, session);
    case Op::copy_end: return copy_end(in, session);
    case Op::register_agent: return register_agent(in, session, message);
    case Op::unregister_agent: return unregister_agent(in, session);
    case Op::release: return release(in, session);
    case Op::import_file: return import_file(in, session);
    case Op::set_data_version: return set_data_version(in, session);
    case Op::get_param: return get_param(in);
    case Op::set_param: return set_param(in, session);
    case Op::status: return status(session);
    case Op::wait_restore: return wait_restore(in, session);
    case Op::restart_mdt: return restart_mdt(in, session);
    case Op::released_of: return released_of(message);
    case Op::last_unlink: return last_unlink(message);
    case Op::kill_client: return kill_client(in, session);
    case Op::evict_client: return evict_client(in, session);
    case Op::group_lock: return group_lock(in, session, message);
    case Op::group_unlock: return group_unlock(in, message);
  }
  return failed(-EPROTO);
}

Service::Result Service::hello(Reader& in, Session& session) {
  const auto protocol = in.get<std::uint32_t>();
  const auto agent = in.get_text();
  if (!in.ok() || protocol != k_protocol) return failed(-EPROTO);
  session.agent = agent;
  m_clients.add(session.id, agent, session.process);
  Reply reply;
  reply.results.put(m_fsname).put(m_store.mdt_count());
  return reply;
}

Service::Result Service::get_param(Reader& in) {
  const auto pattern = in.get_text();
  if (!in.ok()) return failed(-EPROTO);
  const auto found = m_parameters.get(std::string(pattern));
  if (found.empty()) return failed(-ENOENT);
  Writer text;
  for (const auto& [name, value] : found) text.put(name).put(value);
  // The log of a million requests is longer than a message may be.
  Reply reply;
  reply.fd = Fd(::memfd_create("lhsm_emulator", MFD_CLOEXEC));
  if (!reply.fd) return failed(-errno);
  for (std::string_view left = text.bytes(); !left.empty();) {
    const auto size = ::write(*reply.fd, left.data(), left.size());
    if (size < 0) return failed(-errno);
    left.remove_prefix(static_cast<std::size_t>(size));
  }
  return reply;
}

Service::Result Service::set_param(Reader& in, const Session& session) {
  const auto pattern = in.get_text();
  const auto value = in.get_text();
  if (!in.ok()) return failed(-EPROTO);
  if (!session.caller.is_admin()) return failed(-EACCES);
  std::vector<std::string> done;
  Reply reply;
  reply.rc = m_parameters.set(std::string(pattern), value, m_clock.now(), done);
  answer_waiters();
  std::string names;
  for (const auto& name : done) names += name + "\n";
  reply.results.put(names);
  return reply;
}

Service::Result Service::restart_mdt(Reader& in, const Session& session) {
  const auto mdt = in.get<std::uint32_t>();
  if (!in.ok()) return failed(-EPROTO);
  if (!session.caller.is_admin()) return failed(-EPERM);
  if (mdt >= m_mdts.size()) return failed(-ENODEV);
  m_mdts[mdt]->restart(m_clock.now());
  return Reply{};
}

Service::Result Service::status(const Session& session) {
  Reply reply;
  reply.results.put(status_json(m_fsname, ::getpid(), m_mdts,
                                {m_cluster, m_clients.list(session.id), m_groups.list(), m_waiters.size()}));
  return reply;
}

std::optional<TimePoint> Service::tick() {
  std::optional<TimePoint> next;
  m_store.new_round();
  for (const auto& mdt : m_mdts) {
    mdt->tick(m_clock.now());
    if (const auto wake = mdt->next_tick(); wake && (!next || *wake < *next)) next = wake;
  }
  keep_records();
  answer_waiters();
  return next;
}

}  // namespace lhsm::emulator
