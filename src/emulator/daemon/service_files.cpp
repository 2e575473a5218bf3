// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdio>

#include "daemon/service.hpp"

namespace lhsm::emulator {

Service::Result Service::fid_of(Reader& in, Incoming& message) {
  const auto mdt = in.get<std::int32_t>();
  if (!in.ok() || !message.fd) return failed(-EPROTO);
  if (mdt >= static_cast<std::int32_t>(m_store.mdt_count())) return failed(-ENODEV);
  const auto fid = m_store.fid_of(*message.fd, mdt);
  if (!fid) return failed(-fid.error().sys_errno);
  Reply reply;
  reply.results.put(*fid);
  return reply;
}

Service::Result Service::open_fid(Reader& in, const Session& session) {
  const auto fid = in.get<Fid>();
  const bool wants_descriptor = in.get<std::uint8_t>() != 0;
  if (!in.ok()) return failed(-EPROTO);
  Reply reply;
  m_store.let_go(fid);
  if (!wants_descriptor)
    if (const auto handle = m_store.handle_of(fid); !handle.empty()) {
      reply.results.put(handle);
      return reply;
    }
  // As on Lustre, opening by FID is not for users; but a user may release his own file.
  if (!session.caller.is_admin()) {
    const auto st = m_store.attributes_of(fid);
    if (!st || st->st_uid != session.caller.uid) return failed(-EPERM);
  }
  drop_if_lost(fid);
  // What the index does not know may be a volatile; else the whole tree is looked through.
  auto file = m_store.knows(fid) ? m_store.open(fid) : m_volatiles.find(fid);
  if (!file && !m_store.knows(fid)) file = m_store.open(fid);
  if (!file) return failed(-file.error().sys_errno);
  reply.results.put(std::string_view{});
  reply.fd = std::move(*file);
  return reply;
}

Service::Result Service::path_of(Reader& in) {
  const auto fid = in.get<Fid>();
  const auto number = in.get<std::uint32_t>();
  if (!in.ok()) return failed(-EPROTO);
  const auto link = m_store.link_of(fid, number);
  if (!link) return failed(-link.error().sys_errno);
  // The last one is told by a number that does not change.
  Reply reply;
  reply.results.put(link->path).put(number + 1 < link->count ? number + 1 : number);
  return reply;
}

Service::Result Service::volatile_fids(Reader& in, const Session& session) {
  const auto mdt = in.get<std::uint32_t>();
  const auto wanted = in.get<std::uint32_t>();
  if (!in.ok()) return failed(-EPROTO);
  const auto block = m_store.volatile_fids(mdt, wanted);
  if (!block) return failed(-block.error().sys_errno);
  m_clients.gave_fids(session.agent, block->first, block->count);
  Reply reply;
  reply.results.put(block->first).put(block->count);
  return reply;
}

Service::Result Service::state_get(Reader& in) {
  const auto fid = in.get<Fid>();
  if (!in.ok()) return failed(-EPROTO);
  const auto file = m_store.view(fid);
  if (!file) return failed(-file.error().sys_errno);
  Reply reply;
  reply.results.put(file->hsm.flags).put(file->hsm.archive_id);
  return reply;
}

Service::Result Service::state_set(Reader& in, const Session& session) {
  const auto fid = in.get<Fid>();
  const auto set = in.get<std::uint64_t>();
  const auto clear = in.get<std::uint64_t>();
  const auto archive_id = in.get<std::uint32_t>();
  if (!in.ok()) return failed(-EPROTO);
  const auto file = m_store.view(fid);
  if (!file) return failed(-file.error().sys_errno);
  auto state = file->hsm;
  if (const int rc = change_flags(state, set, clear, archive_id, session.caller.is_admin()); rc != 0) return failed(rc);
  if (const auto stored = m_store.set_hsm(fid, state); !stored) return failed(-stored.error().sys_errno);
  return Reply{};
}

Service::Result Service::release(Reader& in, const Session& session) {
  const auto fid = in.get<Fid>();
  if (!in.ok()) return failed(-EPROTO);
  const auto file = m_store.view(fid);
  if (!file) return failed(-file.error().sys_errno);
  // Lustre asks for the right to write. Who opened the file to drop its data has it; by FID that is its owner.
  if (!session.caller.is_admin() && session.caller.uid != file->uid) return failed(-EPERM);
  auto state = file->hsm;
  if ((state.flags & abi::HS_RELEASED) != 0) return failed(1);
  const auto version = m_store.version_of(fid);
  if (!version) return failed(-version.error().sys_errno);
  if (const int rc = check_release(state, *version); rc != 0) return failed(rc);
  state.flags |= abi::HS_RELEASED;
  if (const auto stored = m_store.set_hsm(fid, state); !stored) return failed(-stored.error().sys_errno);
  return Reply{};
}

Service::Result Service::import_file(Reader& in, const Session& session) {
  const auto fid = in.get<Fid>();
  const auto archive_id = in.get<std::uint32_t>();
  if (!in.ok()) return failed(-EPROTO);
  if (!session.caller.is_admin()) return failed(-EPERM);
  const HsmState state{abi::HS_EXISTS | abi::HS_ARCHIVED | abi::HS_RELEASED, archive_id, 0};
  if (const auto stored = m_store.set_hsm(fid, state); !stored) return failed(-stored.error().sys_errno);
  return Reply{};
}

Service::Result Service::set_data_version(Reader& in, const Session& session) {
  const auto fid = in.get<Fid>();
  const auto version = in.get<std::uint64_t>();
  if (!in.ok()) return failed(-EPROTO);
  if (version == 0) return failed(-EINVAL);
  if (!session.caller.is_admin()) return failed(-EPERM);
  const auto file = m_store.view(fid);
  if (!file) return failed(-file.error().sys_errno);
  auto state = file->hsm;
  state.archive_version = version;
  if (const auto stored = m_store.set_hsm(fid, state); !stored) return failed(-stored.error().sys_errno);
  return Reply{};
}

}  // namespace lhsm::emulator
