// SPDX-License-Identifier: LGPL-2.1-or-later
// What meets a request for actions, and what is told of space.
#include "support/fake_lustre.hpp"

namespace lhsm::test {

namespace {

ActionKind kind_of(abi::hsm_user_action action) {
  switch (action) {
    case abi::HUA_ARCHIVE: return ActionKind::archive;
    case abi::HUA_RESTORE: return ActionKind::restore;
    default: return ActionKind::remove;
  }
}

}  // namespace

/// False: nothing needs to be done for the file. An error ends the list.
Outcome<bool> FakeLustre::is_needed(abi::hsm_user_action action, std::uint32_t archive_id, const Fid& fid) {
  if (!std::filesystem::exists(path(fid))) return errno_error("request", fid.bracketed(), ENOENT);
  const lustre::HsmState& state = m_files[fid].hsm;
  const auto has = [&state](std::uint32_t bits) { return (state.states & bits) != 0; };
  const auto refused = [&fid] { return errno_error("request", fid.bracketed(), EPERM); };
  switch (action) {
    case abi::HUA_ARCHIVE:
      if (has(abi::HS_ARCHIVED) && !has(abi::HS_DIRTY)) return false;
      if (has(abi::HS_NOARCHIVE) || (has(abi::HS_EXISTS) && archive_id != 0 && archive_id != state.archive_id)) return refused();
      return true;
    case abi::HUA_RESTORE:
      if (has(abi::HS_DIRTY)) return refused();
      if (!has(abi::HS_RELEASED)) return false;
      if (has(abi::HS_LOST) || !has(abi::HS_ARCHIVED)) return refused();
      return std::none_of(m_records.begin(), m_records.end(), [&fid](const auto& record) {
        return record.second.item.fid == fid && record.second.item.kind == ActionKind::restore && record.second.ends.empty();
      });
    case abi::HUA_REMOVE:
      if (has(abi::HS_RELEASED)) return refused();
      return has(abi::HS_EXISTS | abi::HS_ARCHIVED);
    case abi::HUA_RELEASE:
      if (has(abi::HS_RELEASED)) return false;
      if (!has(abi::HS_ARCHIVED) || has(abi::HS_DIRTY | abi::HS_NORELEASE | abi::HS_LOST)) return refused();
      return true;
    default: return errno_error("request", fid.bracketed(), EINVAL);
  }
}

Status FakeLustre::request(abi::hsm_user_action action, std::uint32_t archive_id, std::span<const Fid> fids) {
  if (fids.size() > lustre::k_most_requested) violated("a request of more files than fit");
  std::vector<ActionItem> items;
  Status done;
  for (const Fid& fid : fids) {
    if (done = enter(Call::request, fid, "request"); !done) break;
    Outcome<bool> needed = false;
    {
      const std::lock_guard lock(m_mutex);
      needed = is_needed(action, archive_id, fid);
      if (needed && *needed && action == abi::HUA_RELEASE) m_files[fid].hsm.states |= abi::HS_RELEASED;
    }
    if (!needed) {
      done = Failure(needed.error());
      break;
    }
    if (*needed && action != abi::HUA_RELEASE) items.push_back(request(kind_of(action), fid, archive_id));
  }
  if (items.empty()) return done;
  {
    const std::lock_guard lock(m_mutex);
    m_changed.notify_all();  // there is a record, whatever becomes of it
    if (m_holds_requests) {
      m_held.insert(m_held.end(), items.begin(), items.end());
      return done;
    }
  }
  deliver(std::move(items));
  return done;
}

void FakeLustre::hold_requests(bool hold) {
  std::vector<ActionItem> held;
  {
    const std::lock_guard lock(m_mutex);
    m_holds_requests = hold;
    if (!hold) held.swap(m_held);
  }
  if (!held.empty()) deliver(std::move(held));
}

void FakeLustre::forget_requests() {
  const std::lock_guard lock(m_mutex);
  for (const ActionItem& item : m_held) m_records.erase({item.mdt_index, item.cookie});
  m_held.clear();
}

Outcome<lustre::HsmState> FakeLustre::hsm_state(int fd) {
  LHSM_TRY_ASSIGN(const Fid fid, fid_of(fd));
  LHSM_TRY(enter(Call::hsm_state, fid, "read the HSM state of"));
  const std::lock_guard lock(m_mutex);
  return m_files[fid].hsm;
}

Status FakeLustre::clear_archived(int fd) {
  LHSM_TRY_ASSIGN(const Fid fid, fid_of(fd));
  LHSM_TRY(enter(Call::clear_archived, fid, "clear the HSM state of"));
  const std::lock_guard lock(m_mutex);
  auto& states = m_files[fid].hsm.states;
  if ((states & abi::HS_RELEASED) != 0) return errno_error("clear the HSM state of", fid.bracketed(), EINVAL);
  states &= ~std::uint32_t{abi::HS_ARCHIVED | abi::HS_DIRTY | abi::HS_LOST};
  return {};
}

Outcome<lustre::RequestProgress> FakeLustre::request_progress(int fd) {
  LHSM_TRY_ASSIGN(const Fid fid, fid_of(fd));
  LHSM_TRY(enter(Call::request_progress, fid, "look for requests for"));
  const std::lock_guard lock(m_mutex);
  for (const auto& [key, record] : m_records)
    if (record.item.fid == fid && record.ends.empty())
      return m_holds_requests ? lustre::RequestProgress::waiting : lustre::RequestProgress::running;
  return lustre::RequestProgress::none;
}

Outcome<std::vector<lustre::OstSpace>> FakeLustre::osts() {
  LHSM_TRY(enter(Call::osts, {}, "statfs OSTs"));
  return all_osts;
}

Outcome<lustre::Quota> FakeLustre::quota(lustre::QuotaKind kind, std::uint32_t id) {
  LHSM_TRY(enter(Call::quota, {static_cast<std::uint64_t>(kind), id, 0}, "quota"));
  const auto found = quotas.find({kind, id});
  return found != quotas.end() ? found->second : lustre::Quota{};
}

}  // namespace lhsm::test
