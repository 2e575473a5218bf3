// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What one rank of a scan does: some threads that take pieces of work from one queue and put new ones into it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/comm/message.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/scan/filter.hpp"

namespace lhsm::scan {

struct ScanOptions {
  Filter filter;
  unsigned threads = 8;  ///< that look at files, on each rank
  std::uint64_t names_per_task = 512;  ///< a directory is cut into pieces of so many names
  bool keeps_failed = false;           ///< the names of all that fails are told
  bool keeps_locks = false;            ///< lustre::Client::forget_xattrs() is not called: a file takes three requests
};

/// All calls but the constructor from any thread.
class TreeWalker {
 public:
  /// `notify` is called by any thread when take_found() or state() have something new. `client` outlives this, and forgets here what
  /// it keeps: of a file is told what was so since, not before.
  /// Throws Fatal when the mount point cannot be opened.
  TreeWalker(lustre::Client& client, const ScanOptions& options, std::function<void()> notify);
  /// Waits for what is in hand, which ends at the next name.
  ~TreeWalker();
  TreeWalker(const TreeWalker&) = delete;
  TreeWalker& operator=(const TreeWalker&) = delete;

  void add(std::vector<comm::ScanTask> tasks);
  /// Take away up to half of what nobody has begun, the oldest first: these have most below them.
  [[nodiscard]] std::vector<comm::ScanTask> take_back();
  enum class Pieces { full, all };
  /// Return the next piece of what was found, if wanted a small one when there is no full one; also one that is the last
  /// for now. Threads wait while too many pieces do.
  [[nodiscard]] std::optional<comm::ScanFound> take_found(Pieces pieces);
  /// `is_idle`: there is nothing to do, and take_found() has nothing more. `received` is not filled in.
  [[nodiscard]] comm::ScanState state() const;

 private:
  void stop();
  void run();
  [[nodiscard]] std::optional<comm::ScanTask> next_task();
  void push(comm::ScanTask task);
  [[nodiscard]] bool is_stopping() const;
  void merge(comm::ScanFound& found);

  lustre::Client& m_client;
  ScanOptions m_options;
  std::function<void()> m_notify;
  lustre::FactsFrom m_facts_from;
  Fd m_root;
  dev_t m_device = 0;

  mutable std::mutex m_mutex;
  std::condition_variable m_work;    // a task was queued, or we stop
  std::condition_variable m_room;    // a piece was taken, or we stop
  std::deque<comm::ScanTask> m_tasks;
  std::uint64_t m_queued = 0;  // names in m_tasks
  unsigned m_busy = 0;         // threads with a task
  std::atomic<bool> m_stop = false;
  comm::ScanFound m_current;
  std::deque<comm::ScanFound> m_full;
  std::vector<std::jthread> m_threads;  // last: they use all of the above
};

}  // namespace lhsm::scan
