// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/ask_files.hpp"

#include <fcntl.h>

#include "lhsmtool_mpi/bulk/judge.hpp"

namespace lhsm::bulk {

using comm::AskAnswer;
using comm::FileAsked;
using lustre::RequestProgress;

namespace {

class Asking {
 public:
  Asking(lustre::Client& client, const comm::AskFiles& wanted)
      : m_client(client), m_wanted(wanted), m_action(item_action_of(wanted.kind)) {}

  comm::FilesAsked run() {
    m_answer.id = m_wanted.id;
    m_answer.files.resize(m_wanted.files.size());
    std::vector<std::size_t> needed;
    for (std::size_t i = 0; i < m_wanted.files.size(); ++i) {
      if (const auto known = examine(m_wanted.files[i]))
        m_answer.files[i] = *known;
      else
        needed.push_back(i);
    }
    if (!needed.empty()) request(needed);
    return std::move(m_answer);
  }

 private:
  /// Look whether there is anything to ask for; if not, return the answer.
  std::optional<FileAsked> examine(const comm::FileToAsk& file) {
    const auto fd = open_to_look(m_client, file.fid);
    const auto state = fd ? m_client.hsm_state(**fd) : Failure(fd.error());
    if (!state) return FileAsked{AskAnswer::failed, state.error()};
    switch (judge(m_action, *state, m_wanted.archives)) {
      case Verdict::already: return FileAsked{AskAnswer::already, {}};
      case Verdict::refused: return FileAsked{AskAnswer::refused, refusal(file.fid, why_refused(m_action, *state))};
      case Verdict::ask: break;
    }
    if (file.is_searched && is_at_coordinator(**fd)) return FileAsked{AskAnswer::asked, {}};
    return std::nullopt;
  }

  bool is_at_coordinator(int fd) {
    return m_client.request_progress(fd).value_or(RequestProgress::none) != RequestProgress::none;
  }

  Status ask(const std::vector<Fid>& fids) {
    // With several archives, or none, the file or the coordinator says which. What has a copy is asked of the archive where that is.
    const bool names_one = m_wanted.kind == ActionKind::archive && m_wanted.archives.size() == 1;
    return m_client.request(request_of(m_action), names_one ? m_wanted.archives.front() : 0, fids);
  }

  void request(const std::vector<std::size_t>& needed) {
    std::vector<Fid> fids;
    fids.reserve(needed.size());
    for (const std::size_t i : needed) fids.push_back(m_wanted.files[i].fid);
    const Status done = ask(fids);
    // One of them is refused; those before it are recorded, those after it are not.
    if (!done && !is_taken(done.error()) && done.error().sys_errno != EAGAIN && needed.size() > 1) return request_singly(needed);
    for (const std::size_t i : needed) m_answer.files[i] = answer_of(done, m_wanted.files[i].fid);
  }

  void request_singly(const std::vector<std::size_t>& needed) {
    for (const std::size_t i : needed) {
      const Fid& fid = m_wanted.files[i].fid;
      const auto fd = open_to_look(m_client, fid);
      if (!fd)
        m_answer.files[i] = {AskAnswer::failed, fd.error()};
      else if (is_at_coordinator(**fd))
        m_answer.files[i] = {AskAnswer::asked, {}};
      else
        m_answer.files[i] = answer_of(ask({fid}), fid);
    }
  }

  /// Where users do not wait for restores (policy NBR) ENODATA says that they are recorded.
  [[nodiscard]] bool is_taken(const Error& error) const {
    return error.sys_errno == ENODATA && m_wanted.kind == ActionKind::restore;
  }

  [[nodiscard]] FileAsked answer_of(const Status& done, const Fid& fid) const {
    if (done || is_taken(done.error()) || done.error().sys_errno == EEXIST) return {AskAnswer::asked, {}};
    if (done.error().sys_errno == EAGAIN) return {AskAnswer::not_now, {}};
    if (done.error().sys_errno == EPERM) return {AskAnswer::refused, refusal(fid, "the coordinator does not permit it")};
    return {AskAnswer::failed, done.error()};
  }

  lustre::Client& m_client;
  const comm::AskFiles& m_wanted;
  store::ItemAction m_action;
  comm::FilesAsked m_answer;
};

}  // namespace

comm::FilesAsked ask_for_files(lustre::Client& client, const comm::AskFiles& wanted) { return Asking(client, wanted).run(); }

Outcome<Fd> open_to_look(lustre::Client& client, const Fid& fid) {
  return client.open_by_fid(fid, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
}

}  // namespace lhsm::bulk
