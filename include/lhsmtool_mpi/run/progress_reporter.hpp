// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/run/file_action.hpp"

namespace lhsm::run {

/// Reports the progress of striped files that this rank owns to the coordinator: one call per file
/// and interval, with what helpers have done since, or as a sign of life when that is nothing. Has a
/// thread of its own, since a report may wait for an MDT.
class ProgressReporter {
 public:
  /// `on_trouble` is called, in the reporter's thread, when a report says that the action must stop.
  ProgressReporter(std::chrono::milliseconds interval, std::function<void(JobId, const Error&)> on_trouble);
  ~ProgressReporter();
  ProgressReporter(const ProgressReporter&) = delete;
  ProgressReporter& operator=(const ProgressReporter&) = delete;

  /// Begin to report for `action`, which stays valid until remove() has returned.
  void add(JobId job, FileAction& action);
  void covered(JobId job, const std::vector<Extent>& extents);
  /// Stop reporting; waits for a report that is under way.
  void remove(JobId job);

 private:
  struct Entry {
    FileAction* action = nullptr;
    std::map<std::uint64_t, std::uint64_t> done;  // offset -> length, disjoint, not yet reported
    TimePoint due;
    bool stopped = false;
  };
  void run(const std::stop_token& stop);
  void report(JobId job, Entry& entry, std::unique_lock<std::mutex>& lock);

  std::chrono::milliseconds m_interval;
  std::function<void(JobId, const Error&)> m_on_trouble;
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::map<JobId, Entry> m_entries;
  std::uint64_t m_added = 0;  // counts calls of add(), each of which may bring the next report forward
  JobId m_reporting = 0;  // the job whose report is under way, or 0
  std::jthread m_thread;
};

}  // namespace lhsm::run
