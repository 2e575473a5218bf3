// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The scheduler's part that ends actions before their time, or begins them anew: cancels, refusals, draining, what a
// coordinator has forgotten.
#include <algorithm>

#include "lhsmtool_mpi/plan/scheduler.hpp"

namespace lhsm::plan {

/// Turn an action that no worker has into one that is only ended. Its old place in a queue goes stale.
void Scheduler::refuse(JobRecord& job, int sys_errno) {
  if (job.state == JobState::large) m_large.erase(large_key(job));
  if (job.state == JobState::waiting) m_jobs.leave_lane(job);
  job.state = JobState::refused;
  job.reject_errno = sys_errno;
  m_refused.push_back(job.id);
}

/// Hand the refusals to the workers in turn: nobody needs room for them, and they count as no load.
std::optional<Command> Scheduler::next_refusals() {
  if (m_refused.empty() || m_refusers.empty()) return std::nullopt;
  GiveJobs batch{m_refusers[m_next_refuser++ % m_refusers.size()], {}};
  for (; !m_refused.empty() && batch.jobs.size() < m_options.max_batch; m_refused.pop_front()) {
    JobRecord& job = *m_jobs.find(m_refused.front());
    give(job, batch.worker, JobState::refusing);
    batch.jobs.push_back(job.id);
  }
  return batch;
}

CancelEffect Scheduler::cancel(std::int32_t mdt_index, std::uint64_t cookie) {
  if (JobRecord* const job = m_jobs.find_cookie(mdt_index, cookie)) return cancel(*job);
  m_early_cancels.remember(mdt_index, cookie);
  return CancelEffect::unknown_cookie;
}

CancelEffect Scheduler::cancel(JobId id) {
  JobRecord* const job = m_jobs.find(id);
  return job != nullptr ? cancel(*job) : CancelEffect::unknown_cookie;
}

CancelEffect Scheduler::cancel(JobRecord& job) {
  const Error cancelled{ErrorKind::cancelled, ECANCELED, "cancelled by the coordinator", job.item.fid.bracketed()};
  switch (job.state) {
    case JobState::waiting:
    case JobState::ready:
    case JobState::large:
      refuse(job, ECANCELED);
      return CancelEffect::will_be_ended;
    case JobState::assigned:
    case JobState::beginning:
      // Noted, too: the job may come back, as returned, as large or as begun, before its worker hears of it.
      if (job.reject_errno == 0) job.reject_errno = ECANCELED;
      m_tell.emplace_back(TellCancel{job.worker, job.id, cancelled});
      return CancelEffect::will_be_ended;
    case JobState::copying:
      fail_stripe(job.id, m_stripes.at(job.id), cancelled);
      return CancelEffect::will_be_ended;
    case JobState::refused:
    case JobState::refusing:
      return CancelEffect::will_be_ended;
    case JobState::finishing:
      return CancelEffect::too_late;
  }
  return CancelEffect::too_late;
}

bool Scheduler::begin_again(WorkerId worker, JobId id, std::chrono::microseconds took) {
  JobRecord* const job = held_by(worker, id);
  if (job == nullptr || !job->sent_again || !take_from(*job, took)) return false;
  job->sent_again = false;
  job->worker = -1;
  job->size = 0;
  job->state = JobState::ready;
  job->round = m_round;
  count_queued(*job);
  // The coordinator that sent it again knows of no cancel, and would take the end of one for a success.
  if (job->reject_errno == ECANCELED) job->reject_errno = EAGAIN;
  if (const int reject_errno = job->reject_errno != 0 ? job->reject_errno : m_drain_errno; reject_errno != 0)
    refuse(*job, reject_errno);
  else
    enqueue(*job);
  return true;
}

std::optional<ActionItem> Scheduler::forget(JobId id) {
  JobRecord* const job = m_jobs.find(id);
  const bool waits = job != nullptr && (job->state == JobState::waiting || job->state == JobState::ready || job->state == JobState::large);
  if (!waits || job->sent_again) return std::nullopt;
  if (job->state == JobState::large) m_large.erase(large_key(*job));
  count_taken(*job);
  return erase(*job);
}

std::vector<JobId> Scheduler::keep_alive_round() {
  ++m_round;
  m_early_cancels.next_round();
  std::vector<JobId> due;
  m_jobs.for_each([&](const JobRecord& job) {
    // An owner reports what it has begun, and a worker a copy that it runs; of what only waits nobody speaks.
    if (job.state == JobState::copying || job.state == JobState::finishing || job.reject_errno != 0) return;
    if (const std::uint32_t waited = m_round - job.round; waited > 0 && waited % k_keep_alive_rounds == 0)
      due.push_back(job.id);
  });
  std::sort(due.begin(), due.end());
  return due;
}

void Scheduler::drain(int sys_errno) {
  m_drain_errno = sys_errno;
  std::set<WorkerId> holders;
  std::vector<JobRecord*> unbegun;
  m_jobs.for_each([&](JobRecord& job) {
    if (job.state == JobState::assigned && job.reject_errno == 0) holders.insert(job.worker);
    const bool queued = job.state == JobState::waiting || job.state == JobState::ready || job.state == JobState::large;
    if (queued && job.reject_errno == 0) unbegun.push_back(&job);
  });
  for (JobRecord* job : unbegun) refuse(*job, sys_errno);
  for (const WorkerId worker : holders) m_tell.emplace_back(TakeBack{worker, ~std::uint32_t{0}});
}

void Scheduler::stop_running(const Error& error) {
  m_jobs.for_each([&](JobRecord& job) {
    if (job.state == JobState::assigned) m_tell.emplace_back(TellCancel{job.worker, job.id, error});
    if (job.state == JobState::beginning && job.reject_errno == 0) job.reject_errno = error.sys_errno;
  });
  for (auto& [id, stripe] : m_stripes) fail_stripe(id, stripe, error);
}

WorkerId Scheduler::any_holder() {
  for (const auto& [id, stripe] : m_stripes)
    if (!stripe.running.empty()) return stripe.running.front().first;
  WorkerId holder = -1;
  m_jobs.for_each([&holder](const JobRecord& job) {
    if (job.worker >= 0) holder = job.worker;
  });
  return holder;
}

}  // namespace lhsm::plan
