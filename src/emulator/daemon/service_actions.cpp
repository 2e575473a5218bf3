// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include "daemon/service.hpp"
#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::emulator {
namespace {

/// The wire's numbers of a user request, as the MDT knows them.
std::uint32_t copytool_action(std::uint32_t user_action) {
  switch (user_action) {
    case abi::HUA_ARCHIVE: return abi::HSMA_ARCHIVE;
    case abi::HUA_RESTORE: return abi::HSMA_RESTORE;
    case abi::HUA_REMOVE: return abi::HSMA_REMOVE;
    case abi::HUA_CANCEL: return abi::HSMA_CANCEL;
    default: return abi::HSMA_NONE;
  }
}

}  // namespace

Service::Result Service::request(Reader& in, const Session& session) {
  const auto bytes = in.get_text();
  abi::hsm_request head{};
  if (!in.ok() || bytes.size() < sizeof head) return failed(-EPROTO);
  std::memcpy(&head, bytes.data(), sizeof head);
  const auto size = sizeof head + std::uint64_t{head.hr_itemcount} * sizeof(abi::hsm_user_item) + head.hr_data_len;
  if (size != bytes.size()) return failed(-EPROTO);

  // The client splits a list by MDT, sends the parts one after the other, goes on after an error and
  // returns the first.
  std::vector<Request> by_mdt(m_mdts.size());
  for (std::uint32_t i = 0; i < head.hr_itemcount; ++i) {
    abi::hsm_user_item item{};
    std::memcpy(static_cast<void*>(&item), bytes.data() + sizeof head + i * sizeof item, sizeof item);
    const auto fid = from_abi(item.hui_fid);
    const auto mdt = mdt_of(fid, m_store.mdt_count());
    if (!mdt) return failed(-EINVAL);
    by_mdt[*mdt].items.push_back({fid, item.hui_extent});
  }
  int first_error = 0;
  for (std::size_t mdt = 0; mdt < by_mdt.size(); ++mdt) {
    auto& part = by_mdt[mdt];
    if (part.items.empty()) continue;
    part.action = copytool_action(head.hr_action);
    part.archive_id = head.hr_archive_id;
    part.flags = head.hr_flags;
    part.data.assign(bytes.substr(bytes.size() - head.hr_data_len));
    const int rc = m_mdts[mdt]->submit(part, session.caller, m_clock.now());
    if (first_error == 0) first_error = rc;
  }
  return failed(first_error);
}

Service::Result Service::current_action(Reader& in) {
  const auto fid = in.get<Fid>();
  if (!in.ok()) return failed(-EPROTO);
  const auto* mdt = mdt_for(fid);
  if (mdt == nullptr) return failed(-ENOENT);
  if (const auto file = m_store.open(fid); !file) return failed(-file.error().sys_errno);
  const auto current = mdt->current_action(fid);
  const std::uint64_t offset = current.extent.offset;
  const std::uint64_t length = current.extent.length;
  Reply reply;
  reply.results.put(current.action).put(current.state).put(offset).put(length);
  return reply;
}

Service::Result Service::copy_start(Reader& in, const Session& session) {
  const auto copy = in.get_struct<abi::hsm_copy>();
  if (!in.ok()) return failed(-EPROTO);
  // The data version is read from the OSTs, past all group locks.
  const auto fid = from_abi(copy.hc_hai.hai_fid);
  if (copy.hc_hai.hai_action != abi::HSMA_ARCHIVE || !m_groups.is_locked(fid)) return begin_copy(copy, session);
  return after_group_locks(fid, session, [this, copy, &session] { return begin_copy(copy, session); });
}

Service::Result Service::begin_copy(const abi::hsm_copy& copy, const Session& session) {
  ProgressReport start;
  start.fid = from_abi(copy.hc_hai.hai_fid);
  start.cookie = copy.hc_hai.hai_cookie;
  start.offset = copy.hc_hai.hai_extent.offset;
  std::uint64_t version = 0;
  int rc = 0;
  if (copy.hc_hai.hai_action == abi::HSMA_ARCHIVE) {
    if (const auto found = m_store.version_of(start.fid); found) {
      version = *found;
    } else {
      // As the client's kernel does: without a data version the request is ended here and now.
      rc = -found.error().sys_errno;
      start.flags = abi::HP_FLAG_COMPLETED | abi::HP_FLAG_RETRY;
      start.errval = static_cast<std::uint16_t>(found.error().sys_errno);
    }
  }
  auto reply = report(start, session, rc);
  if (reply) reply->results.put(version);
  return reply;
}

Service::Result Service::progress(Reader& in, const Session& session) {
  const auto sent = in.get_struct<abi::hsm_progress>();
  if (!in.ok()) return failed(-EPROTO);
  ProgressReport progress;
  progress.fid = from_abi(sent.hp_fid);
  progress.cookie = sent.hp_cookie;
  progress.offset = sent.hp_extent.offset;
  progress.length = sent.hp_extent.length;
  progress.flags = sent.hp_flags;
  progress.errval = sent.hp_errval;
  return report(progress, session, 0);
}

Service::Result Service::copy_end(Reader& in, const Session& session) {
  const auto copy = in.get_struct<abi::hsm_copy>();
  if (!in.ok()) return failed(-EPROTO);
  const auto fid = from_abi(copy.hc_hai.hai_dfid);
  const bool reads_version = copy.hc_errval == 0 && copy.hc_hai.hai_action != abi::HSMA_REMOVE;
  if (!reads_version || !m_groups.is_locked(fid)) return end_copy(copy, session);
  return after_group_locks(fid, session, [this, copy, &session] { return end_copy(copy, session); });
}

Service::Result Service::end_copy(const abi::hsm_copy& copy, const Session& session) {
  const auto action = copy.hc_hai.hai_action;
  if (action == abi::HSMA_RESTORE) drop_if_lost(from_abi(copy.hc_hai.hai_dfid));
  ProgressReport end;
  end.fid = from_abi(action == abi::HSMA_REMOVE ? copy.hc_hai.hai_fid : copy.hc_hai.hai_dfid);
  end.cookie = copy.hc_hai.hai_cookie;
  end.offset = copy.hc_hai.hai_extent.offset;
  end.length = copy.hc_hai.hai_extent.length;
  end.flags = copy.hc_flags | abi::HP_FLAG_COMPLETED;
  end.errval = copy.hc_errval;
  int rc = 0;
  // A volatile has its data version read in the swap, which also finds it missing.
  if (end.errval == 0 && action == abi::HSMA_ARCHIVE) {
    const auto version = m_store.version_of(end.fid);
    if (!version) {
      rc = -version.error().sys_errno;
      end.errval = static_cast<std::uint16_t>(-rc);
    } else if (*version != copy.hc_data_version) {
      rc = -EBUSY;
      end.errval = EBUSY;
      end.flags &= static_cast<std::uint16_t>(~abi::HP_FLAG_RETRY);
    }
    if (version) end.data_version = *version;
  }
  return report(end, session, rc);
}

Service::Result Service::report(const ProgressReport& report, const Session& session, int client_rc) {
  if (!session.caller.is_admin()) return failed(-EPERM);
  // The client asks the MDT of the FID it names: that of a volatile on a wrong MDT knows nothing.
  auto* mdt = mdt_for(report.fid);
  if (mdt == nullptr) return failed(client_rc != 0 ? client_rc : -ENOENT);
  std::optional<Swap> swap;
  const int rc = mdt->progress(report, m_clock.now(), swap);
  if (!swap) {
    if ((report.flags & abi::HP_FLAG_COMPLETED) != 0) answer_waiters();
    return failed(client_rc != 0 ? client_rc : rc);
  }
  // Shared with the callback, which outlives this call when the swap takes its time.
  struct Pending {
    bool is_sync = true;
    std::optional<Reply> reply;
  };
  const auto pending = std::make_shared<Pending>();
  m_swaps.start(*swap, [this, mdt, swap = *swap, id = session.id, pending](int result) {
    Reply reply = failed(mdt->finish_restore(swap, result, m_clock.now()));
    keep_records();
    answer_waiters();
    if (pending->is_sync)
      pending->reply = std::move(reply);
    else
      m_send_later(id, std::move(reply));
  });
  pending->is_sync = false;
  return std::move(pending->reply);
}

Service::Result Service::register_agent(Reader& in, Session& session, Incoming& message) {
  const auto pid = in.get<std::int32_t>();
  const auto count = in.get<std::uint32_t>();
  if (!in.ok() || !message.fd || count > 1024) return failed(-EPROTO);
  std::vector<std::uint32_t> archives(count);
  for (auto& archive : archives) archive = in.get<std::uint32_t>();
  if (!in.ok()) return failed(-EPROTO);
  if (!session.caller.is_admin()) return failed(-EPERM);
  // All or nothing.
  for (const auto& mdt : m_mdts) {
    if (mdt->state() != Coordinator::State::stopped) continue;
    log::warning("a copytool's registration is refused: real clients before 2.17.55 do not survive that for long (LU-20311)");
    return failed(-ENXIO);
  }
  if (const auto added = m_pipes.add(session.agent, pid, std::move(message.fd)); !added)
    return failed(-added.error().sys_errno);
  for (const auto& mdt : m_mdts) std::ignore = mdt->register_agent(session.agent, archives);
  return Reply{};
}

Service::Result Service::unregister_agent(Reader& in, const Session& session) {
  const auto pid = in.get<std::int32_t>();
  if (!in.ok()) return failed(-EPROTO);
  // The client as a whole leaves, also for other copytools of it; only this one's pipes close.
  for (const auto& mdt : m_mdts) mdt->unregister_agent(session.agent);
  m_pipes.remove(session.agent, pid);
  return Reply{};
}

}  // namespace lhsm::emulator
