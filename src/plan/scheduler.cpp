// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/scheduler.hpp"

#include <algorithm>

namespace lhsm::plan {

namespace {

/// hal_flags bit of Lustre 2.17: a process is blocked until this restore ends.
constexpr std::uint64_t k_blocking = 4;

}  // namespace

Scheduler::Scheduler(SchedulerOptions options) : m_options(options), m_workers(options.queue_ahead, options.reserved_slots) {}

Scheduler::Class Scheduler::class_of(const JobRecord& job) {
  if (job.is_bulk) return k_bulk;
  switch (job.item.kind) {
    case ActionKind::restore: return (job.item.list_flags & k_blocking) != 0 ? k_waited_for : k_restore;
    case ActionKind::remove: return k_remove;
    default: return k_archive;
  }
}

Scheduler::LargeKey Scheduler::large_key(const JobRecord& job) {
  return {class_of(job), ~job.size, job.id};
}

JobRecord* Scheduler::held_by(WorkerId worker, JobId job) {
  JobRecord* const record = m_jobs.find(job);
  return record != nullptr && record->worker == worker ? record : nullptr;
}

const StripedFile* Scheduler::striped(JobId job) const {
  const auto it = m_stripes.find(job);
  return it != m_stripes.end() ? &it->second.file : nullptr;
}

bool Scheduler::add_worker(WorkerId worker, std::uint32_t slots, const std::string& host) {
  if (!m_workers.add(worker, slots, host)) return false;
  m_refusers.push_back(worker);
  return true;
}

void Scheduler::enqueue(JobRecord& job) { m_ready.at(class_of(job)).push_back(job.id); }

void Scheduler::count_queued(const JobRecord& job) {
  ++m_queued;
  ++m_queued_of.of(job.item.kind);
}

void Scheduler::count_taken(const JobRecord& job) {
  --m_queued;
  --m_queued_of.of(job.item.kind);
}

const JobRecord* Scheduler::add(ActionItem item, int reject_errno, Precedence precedence) {
  const std::int32_t mdt_index = item.mdt_index;
  const std::uint64_t cookie = item.cookie;
  if (JobRecord* const known = m_jobs.find_cookie(mdt_index, cookie)) {
    if (known->item.kind == item.kind && known->item.fid == item.fid) known->sent_again = true;
    return nullptr;
  }
  JobRecord* const job = m_jobs.add(std::move(item));
  job->round = m_round;
  job->is_bulk = precedence == Precedence::bulk;
  ++m_unfinished_of.of(job->item.kind);
  count_queued(*job);
  if (m_early_cancels.take(mdt_index, cookie) && reject_errno == 0) reject_errno = ECANCELED;
  if (reject_errno == 0) reject_errno = m_drain_errno;
  // Of what is released since its archive was asked for the archive may wait in a read until the restore is done. They do not
  // meet in the archive, where what is new stands aside until it is complete.
  if (job->state == JobState::waiting && job->item.kind == ActionKind::restore && m_jobs.waits_for_archives_only(*job))
    m_jobs.leave_lane(*job);
  if (reject_errno != 0)
    refuse(*job, reject_errno);
  else if (job->state == JobState::ready)
    enqueue(*job);
  return job;
}

bool Scheduler::found_large(WorkerId worker, JobId id, std::uint64_t size) {
  JobRecord* const job = held_by(worker, id);
  if (job == nullptr || job->state != JobState::assigned) return false;
  m_workers.jobs_taken_back(worker, 1);
  job->worker = -1;
  job->size = size;
  job->state = JobState::large;
  count_queued(*job);
  if (job->reject_errno != 0)
    refuse(*job, job->reject_errno);
  else if (m_drain_errno != 0)
    refuse(*job, m_drain_errno);
  else
    m_large.insert(large_key(*job));
  return true;
}

bool Scheduler::begun(WorkerId worker, JobId id, StripedFile file, std::vector<Extent> done) {
  JobRecord* const job = held_by(worker, id);
  if (job == nullptr || job->state != JobState::beginning) return false;
  --m_beginning;
  job->state = JobState::copying;
  ExtentCutter cutter(file.size, m_options.extent_bytes, file.stripe_size, m_workers.slots(), file.granule, done);
  std::uint64_t done_bytes = 0;
  for (const Extent& extent : done) done_bytes += extent.length;
  const auto done_extents = static_cast<std::uint32_t>(done.size());
  Stripe& stripe = m_stripes.emplace(id, Stripe{std::move(file), std::move(cutter), worker, {}, std::move(done), {}, false,
                                                done_bytes, done_extents})
                       .first->second;  // its owner has still to hear of what is done
  if (job->reject_errno != 0) {
    const auto kind = job->reject_errno == ECANCELED ? ErrorKind::cancelled : ErrorKind::busy;
    fail_stripe(id, stripe, Error{kind, job->reject_errno, "stopped before the copy of", job->item.fid.bracketed()});
  } else if (stripe.cutter.empty()) {
    finish_if_complete(id, stripe);
  } else {
    if (!job->is_bulk && !m_open_stripes.empty() && m_jobs.find(m_open_stripes.front())->is_bulk)
      m_open_stripes.push_front(id);
    else
      m_open_stripes.push_back(id);
  }
  return true;
}

bool Scheduler::extent_done(WorkerId worker, JobId id, Extent extent, const std::optional<Error>& error) {
  const auto it = m_stripes.find(id);
  if (it == m_stripes.end()) return false;
  Stripe& stripe = it->second;
  const auto running = std::find(stripe.running.begin(), stripe.running.end(), std::pair{worker, extent});
  if (running == stripe.running.end()) return false;
  stripe.running.erase(running);
  m_workers.extent_done(worker);
  if (error) {
    fail_stripe(id, stripe, *error);
  } else {
    stripe.fresh.push_back(extent);
    stripe.done_bytes += extent.length;
    ++stripe.done_extents;
  }
  finish_if_complete(id, stripe);
  return true;
}

bool Scheduler::trouble(WorkerId worker, JobId id, const Error& error) {
  const auto it = m_stripes.find(id);
  if (it == m_stripes.end() || it->second.owner != worker) return false;
  fail_stripe(id, it->second, error);
  return true;
}

/// Cut no more extents of this file, stop those that run, and end it when they are all closed.
void Scheduler::fail_stripe(JobId id, Stripe& stripe, const Error& error) {
  if (stripe.finishing) return;
  if (!stripe.error) {  // the first error is the file's
    stripe.error = error;
    stripe.cutter.stop();
    std::erase(m_open_stripes, id);
    std::set<WorkerId> helpers;
    for (const auto& [helper, extent] : stripe.running) helpers.insert(helper);
    for (const WorkerId helper : helpers) m_tell.emplace_back(TellCancel{helper, id, error});
  }
  finish_if_complete(id, stripe);
}

void Scheduler::finish_if_complete(JobId id, Stripe& stripe) {
  if (stripe.finishing || !stripe.running.empty() || !stripe.cutter.empty()) return;
  stripe.finishing = true;
  m_jobs.find(id)->state = JobState::finishing;
  m_tell.emplace_back(GiveFinish{stripe.owner, id, stripe.error});
}

void Scheduler::give(JobRecord& job, WorkerId worker, JobState state) {
  job.state = state;
  job.worker = worker;
  job.sent_again = false;  // from now on
  count_taken(job);
}

/// Note that the worker has no more to do with the job. False: it had nothing to end.
bool Scheduler::take_from(JobRecord& job, std::chrono::microseconds took) {
  switch (job.state) {
    case JobState::assigned: m_workers.job_done(job.worker, took); return true;
    case JobState::beginning: --m_beginning; return true;  // begin failed
    case JobState::finishing: m_stripes.erase(job.id); return true;
    case JobState::refusing: return true;
    default: return false;
  }
}

std::optional<ActionItem> Scheduler::ended(WorkerId worker, JobId id, std::chrono::microseconds took) {
  JobRecord* const job = held_by(worker, id);
  if (job == nullptr) return std::nullopt;
  if (!take_from(*job, took)) return std::nullopt;
  return erase(*job);
}

ActionItem Scheduler::erase(JobRecord& job) {
  --m_unfinished_of.of(job.item.kind);
  ActionItem item = std::move(job.item);
  job.item.fid = item.fid;  // the table finds the file's lane and the cookie by them
  job.item.cookie = item.cookie;
  job.item.mdt_index = item.mdt_index;
  if (const auto next = m_jobs.erase(job.id)) {
    if (m_drain_errno != 0)
      refuse(*m_jobs.find(*next), m_drain_errno);
    else
      enqueue(*m_jobs.find(*next));
  }
  return item;
}

void Scheduler::returned(WorkerId worker, const std::vector<JobId>& jobs) {
  if (!m_workers.contains(worker)) return;
  m_workers.recall_answered(worker);
  // The last ones first, so that the first of them is in front again.
  for (auto id = jobs.rbegin(); id != jobs.rend(); ++id) {
    JobRecord* const job = held_by(worker, *id);
    if (job == nullptr || job->state != JobState::assigned) continue;
    m_workers.jobs_taken_back(worker, 1);
    job->worker = -1;
    job->state = JobState::ready;
    count_queued(*job);
    if (const int reject_errno = job->reject_errno != 0 ? job->reject_errno : m_drain_errno; reject_errno != 0)
      refuse(*job, reject_errno);
    else
      m_ready.at(class_of(*job)).push_front(*id);
  }
}

std::vector<StripedProgress> Scheduler::striped_files(std::size_t most) const {
  std::vector<StripedProgress> files;
  for (const auto& [id, stripe] : m_stripes) {  // ids rise as actions came
    if (files.size() == most) break;
    files.push_back({id, stripe.owner, stripe.file.size, stripe.done_bytes, stripe.done_extents,
                     static_cast<std::uint32_t>(stripe.running.size())});
  }
  return files;
}

void Scheduler::report_coverage() {
  for (auto& [id, stripe] : m_stripes) {
    if (stripe.fresh.empty() || stripe.finishing) continue;
    m_tell.emplace_back(TellCovered{stripe.owner, id, std::move(stripe.fresh)});
    stripe.fresh.clear();
  }
}

std::optional<Command> Scheduler::next() {
  if (!m_tell.empty()) {
    Command command = std::move(m_tell.front());
    m_tell.pop_front();
    return command;
  }
  if (auto command = next_refusals()) return command;
  if (auto command = next_extent()) return command;
  if (auto command = next_begin()) return command;
  if (auto command = next_jobs()) return command;
  if (const auto imbalance = m_workers.find_imbalance()) return TakeBack{imbalance->from, imbalance->surplus};
  return std::nullopt;
}

std::optional<Command> Scheduler::next_extent() {
  if (m_open_stripes.empty()) return std::nullopt;
  // A slot is busy with an extent for long: small files must not wait until all of a large one is done.
  const JobId id = m_open_stripes.front();
  const auto worker = m_workers.for_extent(precedence_of(*m_jobs.find(id)),
                                           front_ready() != nullptr ? SlotShare::half : SlotShare::all);
  if (!worker) return std::nullopt;
  Stripe& stripe = m_stripes.at(id);
  const Extent extent = stripe.cutter.take();
  if (stripe.cutter.empty()) m_open_stripes.pop_front();
  stripe.running.emplace_back(*worker, extent);
  m_workers.extent_given(*worker);
  return GiveExtent{*worker, id, extent};
}

/// Begin the next large file when the extents of the present ones do not fill all slots: early enough
/// that nobody waits for it, late enough that few files are open.
std::optional<Command> Scheduler::next_begin() {
  if (m_large.empty() || m_beginning > 1) return std::nullopt;
  JobRecord& job = *m_jobs.find(m_large.begin()->job);
  const bool overtakes = !m_open_stripes.empty() && !job.is_bulk && m_jobs.find(m_open_stripes.front())->is_bulk;
  if (!m_open_stripes.empty() && !overtakes) return std::nullopt;
  const auto worker = m_workers.for_extent(precedence_of(job));
  if (!worker) return std::nullopt;
  m_large.erase(m_large.begin());
  give(job, *worker, JobState::beginning);
  ++m_beginning;
  return GiveBegin{*worker, job.id};
}

/// Return the first ready job and leave it in its queue's front; stale entries before it are dropped.
JobRecord* Scheduler::front_ready() {
  for (std::size_t priority = 0; priority < k_classes; ++priority) {
    auto& queue = m_ready.at(priority);
    for (; !queue.empty(); queue.pop_front()) {
      JobRecord* const job = m_jobs.find(queue.front());
      if (job != nullptr && job->state == JobState::ready && class_of(*job) == priority) return job;
    }
  }
  return nullptr;
}

std::optional<Command> Scheduler::next_jobs() {
  JobRecord* job = front_ready();
  if (job == nullptr) return std::nullopt;
  const bool is_bulk = job->is_bulk;
  const auto room = m_workers.for_jobs(precedence_of(*job));
  if (!room) return std::nullopt;
  // Never all that is left to one worker while others could have some of it.
  const std::size_t share = (m_queued + m_workers.size() - 1) / m_workers.size();
  const std::size_t most = std::min({room->second, m_options.max_batch, std::max<std::size_t>(1, share)});
  GiveJobs batch{room->first, {}};
  for (; job != nullptr && job->is_bulk == is_bulk && batch.jobs.size() < most; job = front_ready()) {
    m_ready.at(class_of(*job)).pop_front();
    give(*job, room->first, JobState::assigned);
    batch.jobs.push_back(job->id);
  }
  m_workers.jobs_given(room->first, batch.jobs.size());
  return batch;
}

}  // namespace lhsm::plan
