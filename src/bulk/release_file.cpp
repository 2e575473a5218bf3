// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>

#include <array>

#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/bulk/rank_job.hpp"

namespace lhsm::bulk {

comm::FileDone release_file(lustre::Client& client, const Fid& fid) {
  using Answer = comm::FileAnswer;
  const auto failed = [&fid](const Error& error) { return comm::FileDone{fid, Answer::failed, error}; };
  Outcome<Fd> file = client.open_by_fid(fid, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (!file) return failed(file.error());
  const auto state = client.hsm_state(**file);
  if (!state) return failed(state.error());
  file->reset();  // a release takes a lease, for which nobody may have the file open
  switch (judge(store::ItemAction::release, *state, {})) {
    case Verdict::already: return {fid, Answer::already, {}};
    case Verdict::refused: return {fid, Answer::refused, refusal(fid, why_refused(store::ItemAction::release, *state))};
    case Verdict::ask: break;
  }
  const Status done = client.request(abi::HUA_RELEASE, 0, std::array{fid});
  if (done) return {fid, Answer::done, {}};
  if (done.error().sys_errno == EPERM) return {fid, Answer::refused, refusal(fid, "the MDT does not permit it")};
  return failed(done.error());
}

}  // namespace lhsm::bulk
