// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/progress_reporter.hpp"

#include <algorithm>

namespace lhsm::run {

namespace {

// Whatever the user says: a coordinator has other things to do.
constexpr std::chrono::milliseconds k_least_interval{10};

}  // namespace

ProgressReporter::ProgressReporter(std::chrono::milliseconds interval,
                                   std::function<void(JobId, const Error&)> on_trouble)
    : m_interval(std::max(interval, k_least_interval)),
      m_on_trouble(std::move(on_trouble)),
      m_thread([this](const std::stop_token& stop) { run(stop); }) {}

ProgressReporter::~ProgressReporter() = default;  // the thread is asked to stop and joined

void ProgressReporter::add(JobId job, FileAction& action) {
  const std::lock_guard lock(m_mutex);
  Entry& entry = m_entries[job];
  entry.action = &action;
  entry.due = std::chrono::steady_clock::now() + m_interval;
  ++m_added;
  m_changed.notify_all();
}

void ProgressReporter::covered(JobId job, const std::vector<Extent>& extents) {
  const std::lock_guard lock(m_mutex);
  const auto it = m_entries.find(job);
  if (it == m_entries.end()) return;
  auto& done = it->second.done;
  for (const Extent& extent : extents) {
    // Extents of one file are cut once each, so they are disjoint; neighbours are joined.
    auto at = done.emplace(extent.offset, extent.length).first;
    if (const auto next = std::next(at); next != done.end() && next->first == at->first + at->second) {
      at->second += next->second;
      done.erase(next);
    }
    if (at != done.begin()) {
      if (const auto before = std::prev(at); before->first + before->second == at->first) {
        before->second += at->second;
        done.erase(at);
      }
    }
  }
}

void ProgressReporter::remove(JobId job) {
  std::unique_lock lock(m_mutex);
  m_changed.wait(lock, [&] { return m_reporting != job; });
  m_entries.erase(job);
}

void ProgressReporter::run(const std::stop_token& stop) {
  std::unique_lock lock(m_mutex);
  while (!stop.stop_requested()) {
    const auto due = std::min_element(m_entries.begin(), m_entries.end(), [](const auto& a, const auto& b) {
      return a.second.due < b.second.due;
    });
    if (due == m_entries.end()) {
      m_changed.wait(lock, stop, [this] { return !m_entries.empty(); });
    } else if (due->second.due > std::chrono::steady_clock::now()) {
      const TimePoint until = due->second.due;
      const std::uint64_t known = m_added;
      m_changed.wait_until(lock, stop, until, [&] { return m_added != known; });
    } else {
      report(due->first, due->second, lock);
    }
  }
}

void ProgressReporter::report(JobId job, Entry& entry, std::unique_lock<std::mutex>& lock) {
  const auto done = std::exchange(entry.done, {});
  FileAction& action = *entry.action;
  entry.due = entry.stopped ? TimePoint::max() : std::chrono::steady_clock::now() + m_interval;
  if (entry.stopped) return;
  m_reporting = job;
  lock.unlock();
  Status status;
  if (done.empty()) status = action.report({0, 0});
  for (auto it = done.begin(); status && it != done.end(); ++it) status = action.report({it->first, it->second});
  lock.lock();
  m_reporting = 0;
  m_changed.notify_all();
  if (status) return;
  entry.stopped = true;
  m_on_trouble(job, status.error());
}

}  // namespace lhsm::run
