// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/asker.hpp"

#include <algorithm>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/threads.hpp"
#include "lhsmtool_mpi/bulk/ask_files.hpp"
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
constexpr std::chrono::milliseconds k_long_wait = 30min;

}  // namespace

Asker::Asker(Job& job, lustre::Client& client, AskerOptions options)
    : m_job(job), m_client(client), m_options(std::move(options)) {
  if (!m_options.ask) m_options.ask = [this](const comm::AskFiles& files) { return ask_for_files(m_client, files); };
  const auto stop = [this] { m_job.stop("its threads cannot be started"); };
  start_threads(m_threads, m_options.threads, [this](std::size_t) { ask(); }, stop);
  start_threads(m_threads, m_options.look_threads, [this](std::size_t) { look(); }, stop);
}

void Asker::ask() {
  for (;;) {
    auto rows = m_job.next_batch();
    if (rows.empty() || !ask_for(std::move(rows))) return;
  }
}

/// Return false when nobody asks any more.
bool Asker::ask_for(std::vector<Row> rows) {
  bool is_again = false;
  bool is_over = false;
  for (auto wait = 0ms; !rows.empty() && m_job.goes_on_after(wait);) {
    const auto answer = m_options.ask(message_of(rows, is_again));
    is_over = !answer;
    if (is_over) break;
    rows = take_answers(rows, *answer);
    if (!rows.empty() && !is_again) log::warning("the coordinator does not run; requests are tried again until it does");
    is_again = true;
    wait = wait == 0ms ? k_first_wait : std::min(2 * wait, k_longest_wait);
  }
  for (const Row& row : rows) m_job.given_back(row);
  return !is_over;
}

comm::AskFiles Asker::message_of(const std::vector<Row>& rows, bool is_again) {
  comm::AskFiles message;
  message.kind = kind_of(m_options.action);
  message.archives = m_options.archives;
  for (const Row& row : rows) message.files.push_back({row.fid, is_again || may_be_at_coordinator(row)});
  return message;
}

/// Return the rows that are to be asked for again, as the coordinator does not run.
std::vector<Row> Asker::take_answers(const std::vector<Row>& rows, const comm::FilesAsked& answer) {
  std::vector<Row> asked;
  std::vector<Row> left;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const comm::FileAsked& file = answer.files.at(i);
    switch (file.answer) {
      case comm::AskAnswer::asked: asked.push_back(rows[i]); break;
      case comm::AskAnswer::already: m_job.settled(rows[i], ItemResult::already, {}); break;
      case comm::AskAnswer::refused: m_job.settled(rows[i], ItemResult::refused, file.error); break;
      case comm::AskAnswer::failed: m_job.failed(rows[i], file.error); break;
      case comm::AskAnswer::not_now: left.push_back(rows[i]); break;
    }
  }
  if (!asked.empty()) m_job.asked(asked);
  return left;
}

/// A second archive request of a file would be carried out a second time (facts 3.2).
bool Asker::may_be_at_coordinator(const Row& row) {
  if (row.attempts > 0) return true;
  return m_options.action == ItemAction::archive && m_searched_first < m_options.search_first &&
         m_searched_first++ < m_options.search_first;
}

void Asker::look() {
  const auto interval = std::min(k_look_interval, m_options.look_after);
  for (auto wait = interval; m_job.goes_on_after(wait);) {
    const auto rows = m_job.unanswered(m_options.look_after, k_looks);
    for (const auto& [row, looks] : rows) {
      if (!m_job.goes_on_after(0ms)) return;
      look_at(row, looks % m_options.search_at_look == 0, looks * m_options.look_after);
    }
    // Where looking is all there is, it may not be what the job waits for.
    wait = m_options.look_threads > 1 && rows.size() == k_looks ? 0ms : interval;
  }
}

/// `searches`: look also whether the coordinator still has the request.
void Asker::look_at(const Row& row, bool searches, std::chrono::milliseconds waited) {
  const auto fd = open_to_look(m_client, row.fid);
  const auto state = fd ? m_client.hsm_state(**fd) : Failure(fd.error());
  if (!state) return m_job.failed(row, state.error());
  const Verdict verdict = judge(m_options.action, *state, m_options.archives);
  if (verdict == Verdict::already) return m_job.settled(row, ItemResult::done, {});
  if (!searches) return;
  const auto progress = m_client.request_progress(**fd);
  if (progress && *progress == RequestProgress::waiting && waited >= k_long_wait)
    log::warning("{}: no copytool has taken it from the coordinator for {} min; does one serve its archive?", row.fid.bracketed(),
                 waited / 1min);
  if (!progress || *progress != RequestProgress::none) return;
  if (verdict == Verdict::refused)
    return m_job.settled(row, ItemResult::refused, refusal(row.fid, why_refused(m_options.action, *state)));
  m_job.failed(row, errno_error("wait for the request for", row.fid.bracketed(), ETIMEDOUT).value());
}

std::vector<ActionItem> adopt_requests(Job& job, lustre::Client& client, const Adopter& adopter,
                                       const std::vector<OpenRequest>& requests, const std::function<bool()>& is_stopped) {
  std::vector<ActionItem> adopted;
  for (const OpenRequest& open : requests) {
    if (is_stopped && is_stopped()) break;  // they stay on record
    const auto fd = open_to_look(client, open.row.fid);
    if (!fd) continue;  // gone, or to be seen when it is asked for
    const auto progress = client.request_progress(**fd);
    if (!progress || *progress == RequestProgress::none) continue;
    ActionItem item;
    item.kind = kind_of(adopter.action);
    item.fid = item.dfid = open.row.fid;
    item.cookie = open.cookie.value_or(0);
    item.mdt_index = client.mdt_index(item.fid).value_or(-1);
    // Lustre notes the archive of an ARCHIVE when it sends it. What waits for one that this run does not serve may be wanted by a
    // user, too, and stays; when the file is asked for it is found to be elsewhere.
    const auto state = client.hsm_state(**fd);
    item.archive_id = state ? state->archive_id : 0;
    const bool is_foreign = state && bulk::is_elsewhere(*state, adopter.archives);
    if (is_foreign && *progress == RequestProgress::waiting) continue;
    bool is_orphan = *progress == RequestProgress::running && open.cookie.has_value();
    // A coordinator that was told of the dead run's volatile file takes no other one (facts 4.4): that restore is ended, too.
    const bool is_to_end = is_orphan && (is_foreign || !adopter.serves || adopter.action == ItemAction::restore);
    if (is_to_end && lustre::end_unbegun(client, item, EAGAIN)) continue;
    is_orphan = is_orphan && adopter.serves && !is_foreign;
    job.adopt(open.row, is_orphan);
    if (is_orphan) adopted.push_back(std::move(item));
  }
  return adopted;
}

}  // namespace lhsm::bulk
