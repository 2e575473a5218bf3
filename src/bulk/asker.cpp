// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/asker.hpp"

#include <fcntl.h>

#include <algorithm>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/lustre/hsm_action.hpp"

namespace lhsm::bulk {

using lustre::RequestProgress;
using store::ItemAction;
using store::ItemResult;

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds k_first_wait = 1s;  // for a coordinator that does not run; doubles
constexpr std::chrono::milliseconds k_longest_wait = 30s;
constexpr std::chrono::milliseconds k_look_interval = 1s;
/// Looks are opens, and for what is not done yet searches of the coordinator's list: not too many at once.
constexpr std::size_t k_looks = 200;

/// Opens a released file, too, without restoring it.
Outcome<Fd> open_to_look(lustre::Client& client, const Fid& fid) {
  return client.open_by_fid(fid, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
}

std::vector<Fid> fids_of(const std::vector<Row>& rows) {
  std::vector<Fid> fids;
  fids.reserve(rows.size());
  for (const Row& row : rows) fids.push_back(row.fid);
  return fids;
}

}  // namespace

Asker::Asker(Job& job, lustre::Client& client, AskerOptions options) : m_job(job), m_client(client), m_options(options) {
  for (unsigned i = 0; i < m_options.threads; ++i) m_threads.emplace_back([this] { ask(); });
  for (unsigned i = 0; i < m_options.look_threads; ++i) m_threads.emplace_back([this] { look(); });
}

void Asker::ask() {
  for (;;) {
    auto rows = m_job.next_batch();
    if (rows.empty()) return;
    ask_for(std::move(rows));
  }
}

void Asker::ask_for(std::vector<Row> rows) {
  std::erase_if(rows, [this](const Row& row) { return !examine(row); });
  if (rows.empty()) return;
  request(rows);
}

/// Look whether there is anything to ask for; if not, the row is answered.
bool Asker::examine(const Row& row) {
  const auto fd = open_to_look(m_client, row.fid);
  const auto state = fd ? m_client.hsm_state(**fd) : Failure(fd.error());
  if (!state) {
    m_job.failed(row, state.error());
    return false;
  }
  switch (judge(m_options.action, *state, m_options.archives)) {
    case Verdict::already: m_job.settled(row, ItemResult::already, 0); return false;
    case Verdict::refused: m_job.settled(row, ItemResult::refused, EPERM); return false;
    case Verdict::ask: break;
  }
  if (!may_be_at_coordinator(row)) return true;
  if (m_client.request_progress(**fd).value_or(RequestProgress::none) == RequestProgress::none) return true;
  m_job.asked({row});
  return false;
}

/// A second archive request of a file would be carried out a second time (facts 3.2).
bool Asker::may_be_at_coordinator(const Row& row) {
  if (row.attempts > 0) return true;
  return m_options.action == ItemAction::archive && m_searched_first < m_options.search_first &&
         m_searched_first++ < m_options.search_first;
}

void Asker::request(const std::vector<Row>& rows) {
  const auto action = request_of(m_options.action);
  const auto fids = fids_of(rows);
  // With several archives, or none, the file or the coordinator says which. What has a copy is asked of the archive where that is.
  const bool names_one = m_options.action == ItemAction::archive && m_options.archives.size() == 1;
  const std::uint32_t archive_id = names_one ? m_options.archives.front() : 0;
  auto wait = 0ms;
  while (m_job.goes_on_after(wait)) {
    const Status done = m_client.request(action, archive_id, fids);
    if (done) return m_job.asked(rows);
    // Where users do not wait for restores (policy NBR) this says that they are recorded.
    if (done.error().sys_errno == ENODATA && m_options.action == ItemAction::restore) return m_job.asked(rows);
    if (done.error().sys_errno != EAGAIN) {
      // One of them is refused; those before it are recorded, those after it are not.
      if (rows.size() > 1) return request_singly(rows);
      if (done.error().sys_errno == EEXIST) return m_job.asked(rows);
      if (done.error().sys_errno == EPERM) return m_job.settled(rows.front(), ItemResult::refused, EPERM);
      return m_job.failed(rows.front(), done.error());
    }
    if (wait == 0ms) log::warning("the coordinator does not run; requests are tried again until it does");
    wait = wait == 0ms ? k_first_wait : std::min(2 * wait, k_longest_wait);
  }
  for (const Row& row : rows) m_job.given_back(row);
}

void Asker::request_singly(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const auto fd = open_to_look(m_client, row.fid);
    if (!fd)
      m_job.failed(row, fd.error());
    else if (m_client.request_progress(**fd).value_or(RequestProgress::none) != RequestProgress::none)
      m_job.asked({row});
    else
      request({row});
  }
}

void Asker::look() {
  const auto interval = std::min(k_look_interval, m_options.look_after);
  for (auto wait = interval; m_job.goes_on_after(wait);) {
    const auto rows = m_job.unanswered(m_options.look_after, k_looks);
    for (const auto& [row, looks] : rows) {
      if (!m_job.goes_on_after(0ms)) return;
      look_at(row, looks % m_options.search_at_look == 0);
    }
    // Where looking is all there is, it may not be what the job waits for.
    wait = m_options.look_threads > 1 && rows.size() == k_looks ? 0ms : interval;
  }
}

/// `searches`: look also whether the coordinator still has the request.
void Asker::look_at(const Row& row, bool searches) {
  const auto fd = open_to_look(m_client, row.fid);
  const auto state = fd ? m_client.hsm_state(**fd) : Failure(fd.error());
  if (!state) return m_job.failed(row, state.error());
  const Verdict verdict = judge(m_options.action, *state, m_options.archives);
  if (verdict == Verdict::already) return m_job.settled(row, ItemResult::done, 0);
  if (!searches) return;
  const auto progress = m_client.request_progress(**fd);
  if (!progress || *progress != RequestProgress::none) return;
  if (verdict == Verdict::refused) return m_job.settled(row, ItemResult::refused, EPERM);
  m_job.failed(row, errno_error("wait for the request for", row.fid.bracketed(), ETIMEDOUT).value());
}

std::vector<ActionItem> adopt_requests(Job& job, lustre::Client& client, ItemAction action,
                                       const std::vector<OpenRequest>& requests, const std::function<bool()>& is_stopped) {
  constexpr auto kind_of = [](ItemAction of) {
    if (of == ItemAction::archive) return ActionKind::archive;
    return of == ItemAction::restore ? ActionKind::restore : ActionKind::remove;
  };
  std::vector<ActionItem> adopted;
  for (const OpenRequest& open : requests) {
    if (is_stopped && is_stopped()) break;  // they stay on record
    const auto fd = open_to_look(client, open.row.fid);
    if (!fd) continue;  // gone, or to be seen when it is asked for
    const auto progress = client.request_progress(**fd);
    if (!progress || *progress == RequestProgress::none) continue;
    const bool is_orphan = *progress == RequestProgress::running && open.cookie.has_value();
    ActionItem item;
    item.kind = kind_of(action);
    item.fid = item.dfid = open.row.fid;
    item.cookie = open.cookie.value_or(0);
    item.archive_id = open.archive_id;
    item.mdt_index = client.mdt_index(item.fid).value_or(-1);
    // A coordinator that was told of the dead run's volatile file takes no other one (facts 4.4): that restore is
    // ended, and then the file is one that is still to be asked for.
    if (is_orphan && action == ItemAction::restore && lustre::end_unbegun(client, item, EAGAIN)) continue;
    job.adopt(open.row, is_orphan);
    if (is_orphan) adopted.push_back(std::move(item));
  }
  return adopted;
}

}  // namespace lhsm::bulk
