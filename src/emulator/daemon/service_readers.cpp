// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Readers of released files, who wait until the coordinator holds their file's layout no longer.
#include <sys/stat.h>

#include <algorithm>

#include "daemon/service.hpp"

namespace lhsm::emulator {

Service::Result Service::released_of(const Incoming& message) {
  if (!message.fd) return failed(-EPROTO);
  struct stat st {};
  const auto path = inode_path(*message.fd);
  if (::fstat(*message.fd, &st) != 0) return failed(-errno);
  const auto tag = read_tag(path, m_store.names());
  const bool is_known = tag && tag->inode == static_cast<std::uint32_t>(st.st_ino) && mdt_for(tag->fid()) != nullptr;
  Reply reply;
  const bool is_released = is_known && (read_hsm(path, m_store.names()).flags & abi::HS_RELEASED) != 0;
  reply.results.put(std::uint8_t{is_released}).put(is_known ? tag->fid() : Fid{});
  return reply;
}

Service::Result Service::wait_restore(Reader& in, const Session& session) {
  const auto fid = in.get<Fid>();
  if (!in.ok()) return failed(-EPROTO);
  const auto* mdt = mdt_for(fid);
  if (mdt == nullptr) return failed(-ENOENT);
  if (!mdt->restore_is_registered(fid)) return Reply{};
  m_waiters.emplace_back(fid, session.id);
  return std::nullopt;
}

void Service::answer_waiters() {
  keep_records();  // what an answer tells of must survive a kill
  // An answer that cannot be sent ends its session, which comes back here as forget().
  const auto first_done = std::stable_partition(m_waiters.begin(), m_waiters.end(), [this](const auto& waiter) {
    return mdt_for(waiter.first)->restore_is_registered(waiter.first);
  });
  const std::vector<std::pair<Fid, std::uint64_t>> done(first_done, m_waiters.end());
  m_waiters.erase(first_done, m_waiters.end());
  for (const auto& waiter : done) m_send_later(waiter.second, Reply{});
}

}  // namespace lhsm::emulator
