// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/coordinator.hpp"

namespace lhsm::emulator {

int Coordinator::progress(const ProgressReport& report, TimePoint now, std::optional<Swap>& swap) {
  if (m_state == State::stopped) return -EAGAIN;
  const auto it = m_running.find(report.cookie);
  if (it == m_running.end() || it->second.ending) return -ENOENT;
  Running& running = it->second;
  const bool completes = (report.flags & abi::HP_FLAG_COMPLETED) != 0;

  running.updated = now;
  // A failure's extent means nothing; a success with a bad extent leaves the request open.
  if (running.action != abi::HSMA_REMOVE && report.errval == 0 && report.length != 0 &&
      !running.done.add(report.offset, report.length))
    return -EINVAL;

  if (running.action == abi::HSMA_RESTORE && running.fid == running.dfid) running.dfid = report.fid;
  const bool moves_data = running.action == abi::HSMA_RESTORE || running.action == abi::HSMA_ARCHIVE;
  if (moves_data && report.fid != running.dfid && report.fid != running.fid) return -EINVAL;
  if (report.errval != 0 && !completes) return -EINVAL;
  if (!completes) return running.canceled ? -ECANCELED : 0;
  return complete(running, report, now, swap);
}

int Coordinator::complete(Running& running, const ProgressReport& report, TimePoint now, std::optional<Swap>& swap) {
  const auto cookie = report.cookie;
  auto file = m_files.view(running.fid);
  if (report.errval != 0) {
    RecordStatus status = RecordStatus::failed;
    const bool may_retry =
        (settings.policy & POLICY_NO_RETRY_ACTION) == 0 && (report.flags & abi::HP_FLAG_RETRY) != 0 && file.has_value();
    if (report.errval == ECANCELED)
      status = RecordStatus::succeed;  // of the CANCEL record: the action's own is CANCELED already
    else if (report.errval != ENOSYS && may_retry)
      status = RecordStatus::waiting;
    if (running.action == abi::HSMA_RESTORE && status != RecordStatus::waiting) m_restores.erase(running.fid);
    end_running(cookie, status, false, now);
    return 0;
  }

  int rc = 0;
  if (file) {
    HsmState state = file->hsm;
    switch (running.action) {
      case abi::HSMA_ARCHIVE:
        state.archive_version = report.data_version;
        state.flags |= abi::HS_ARCHIVED;
        state.flags &= ~(abi::HS_LOST | abi::HS_DIRTY);
        break;
      case abi::HSMA_REMOVE: state.flags &= ~(abi::HS_ARCHIVED | abi::HS_EXISTS | abi::HS_LOST); break;
      default: {
        // A success without a volatile would swap the file with itself.
        if (running.dfid == running.fid) {
          m_restores.erase(running.fid);
          end_running(cookie, RecordStatus::failed, false, now);
          return -EPERM;
        }
        state.flags &= ~(abi::HS_RELEASED | abi::HS_DIRTY);
        state.archive_version = report.data_version;
        running.ending = true;
        swap = Swap{cookie, running.fid, running.dfid, state};
        return 0;
      }
    }
    if (const auto stored = m_files.set_hsm(running.fid, state); !stored) rc = -stored.error().sys_errno;
  }
  if (running.action == abi::HSMA_RESTORE) m_restores.erase(running.fid);
  end_running(cookie, RecordStatus::succeed, true, now);
  return rc;
}

int Coordinator::finish_restore(const Swap& swap, int swap_result, TimePoint now) {
  m_restores.erase(swap.file);
  // Lustre keeps SUCCEED after a failed swap unless NoRetryAction is set, which is its default.
  const bool fails = swap_result != 0 && (settings.policy & POLICY_NO_RETRY_ACTION) != 0;
  end_running(swap.cookie, fails ? RecordStatus::failed : RecordStatus::succeed, swap_result == 0, now);
  return swap_result;
}

void Coordinator::end_running(std::uint64_t cookie, RecordStatus status, bool succeeded, TimePoint now) {
  const auto it = m_running.find(cookie);
  if (it != m_running.end()) m_agents.count(it->second.agent, 0, succeeded ? 1 : 0, succeeded ? 0 : 1);
  m_log.update(cookie, status, now);
  remove_running(cookie);
  m_event = true;
}

void Coordinator::remove_running(std::uint64_t cookie) {
  const auto it = m_running.find(cookie);
  if (it == m_running.end()) return;
  m_agents.count(it->second.agent, -1, 0, 0);
  m_running.erase(it);
  if (m_running.empty()) m_nudged = true;
}

}  // namespace lhsm::emulator
