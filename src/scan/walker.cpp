// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/walker.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/threads.hpp"
#include "names.hpp"
#include "task_runner.hpp"

namespace lhsm::scan {

namespace {

constexpr std::uint64_t k_rows_per_piece = 4096;
constexpr std::size_t k_names_per_piece = std::size_t{1} << 20;  // bytes, of what failed
constexpr std::size_t k_most_pieces = 4;               // that may wait before threads do
constexpr std::uint64_t k_most_waiting_tasks = 64;  // of names_per_task names; beyond, a directory's reader goes through them itself
constexpr std::uint64_t k_most_names_back = 16384;
constexpr std::size_t k_most_problems = 512;

lustre::FactsFrom choose_source(lustre::Client& client, const ScanOptions& options) {
  if (options.keeps_locks) return lustre::FactsFrom::servers;
  const Status is_forgotten = client.forget_xattrs();
  if (is_forgotten)
    return options.filter.wants_released() ? lustre::FactsFrom::xattrs_of_released : lustre::FactsFrom::xattrs;
  // An ordinary user is shown no such xattrs, nor does an old Lustre have them all.
  const auto level = is_forgotten.error().sys_errno == EOPNOTSUPP ? log::Level::debug : log::Level::info;
  if (log::enabled(level))
    log::write(level, "each file takes three requests instead of one: " + is_forgotten.error().describe());
  return lustre::FactsFrom::servers;
}

bool is_empty(const comm::ScanFound& found) {
  return found.row_count == 0 && found.directories == 0 && found.others == 0 && found.filtered == 0 &&
         found.vanished == 0 && found.failed_lines == 0 && found.failed_entries == 0;
}

}  // namespace

TreeWalker::TreeWalker(lustre::Client& client, const ScanOptions& options, std::function<void()> notify)
    : m_client(client), m_options(options), m_notify(std::move(notify)), m_facts_from(choose_source(client, options)) {
  m_root = Fd(::open(client.mount_point().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!m_root || ::fstat(*m_root, &status) != 0) throw Fatal(errno_error("open", client.mount_point()).value());
  m_device = status.st_dev;
  start_threads(m_threads, std::max(1U, m_options.threads), [this](std::size_t) { run(); }, [this] { stop(); });
}

TreeWalker::~TreeWalker() {
  stop();
  m_threads.clear();
}

void TreeWalker::stop() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_work.notify_all();
  m_room.notify_all();
}

void TreeWalker::add(std::vector<comm::ScanTask> tasks) {
  {
    const std::lock_guard lock(m_mutex);
    for (comm::ScanTask& task : tasks) {
      m_queued += task.count;
      m_tasks.push_back(std::move(task));
    }
  }
  m_work.notify_all();
}

std::vector<comm::ScanTask> TreeWalker::take_back() {
  const std::lock_guard lock(m_mutex);
  std::vector<comm::ScanTask> taken;
  std::uint64_t wanted = std::min(m_queued - m_queued / 2, k_most_names_back);
  while (wanted > 0 && !m_tasks.empty()) {
    comm::ScanTask& oldest = m_tasks.front();
    if (oldest.count > wanted) {
      taken.push_back(split_off(oldest, wanted));
    } else {
      taken.push_back(std::move(oldest));
      m_tasks.pop_front();
    }
    wanted -= std::min(wanted, taken.back().count);
    m_queued -= taken.back().count;
  }
  return taken;
}

std::optional<comm::ScanFound> TreeWalker::take_found(Pieces pieces) {
  std::optional<comm::ScanFound> found;
  {
    const std::lock_guard lock(m_mutex);
    if (!m_full.empty()) {
      found = std::move(m_full.front());
      m_full.pop_front();
    } else if (!is_empty(m_current) && (pieces == Pieces::all || (m_tasks.empty() && m_busy == 0))) {
      found = std::exchange(m_current, {});
    }
  }
  if (found) m_room.notify_all();
  return found;
}

comm::ScanState TreeWalker::state() const {
  const std::lock_guard lock(m_mutex);
  comm::ScanState state;
  state.queued = m_queued;
  state.is_hungry = m_tasks.empty() && m_busy < m_threads.size();
  state.is_idle = m_tasks.empty() && m_busy == 0 && m_full.empty() && is_empty(m_current);
  return state;
}

void TreeWalker::run() {
  TaskRunner runner({m_client, m_options, m_facts_from, *m_root, m_device, [this](comm::ScanTask task) { push(std::move(task)); },
                     [this] {
                       const std::lock_guard lock(m_mutex);
                       return m_queued < k_most_waiting_tasks * m_options.names_per_task;
                     },
                     [this] { return is_stopping(); }, [this](comm::ScanFound& found) { merge(found); }});
  while (const auto task = next_task()) {
    runner.run(*task);
    bool is_hungry = false;
    {
      const std::lock_guard lock(m_mutex);
      --m_busy;
      is_hungry = m_tasks.empty();
    }
    if (is_hungry) m_notify();
  }
}

std::optional<comm::ScanTask> TreeWalker::next_task() {
  std::unique_lock lock(m_mutex);
  m_work.wait(lock, [this] { return m_stop || !m_tasks.empty(); });
  if (m_stop) return std::nullopt;
  // The newest first: what is below a directory is gone through before the next one, so that the queue stays short.
  comm::ScanTask& newest = m_tasks.back();
  ++m_busy;
  if (newest.kind == comm::ScanTaskKind::directories && newest.count > 1) {
    --m_queued;
    return split_off(newest, 1);
  }
  comm::ScanTask task = std::move(newest);
  m_tasks.pop_back();
  m_queued -= task.count;
  return task;
}

void TreeWalker::push(comm::ScanTask task) {
  const bool is_one = task.count == 1 || task.kind == comm::ScanTaskKind::files;
  {
    const std::lock_guard lock(m_mutex);
    m_queued += task.count;
    m_tasks.push_back(std::move(task));
  }
  if (is_one)
    m_work.notify_one();
  else
    m_work.notify_all();
}

bool TreeWalker::is_stopping() const { return m_stop.load(std::memory_order_relaxed); }

void TreeWalker::merge(comm::ScanFound& found) {
  bool is_full = false;
  {
    std::unique_lock lock(m_mutex);
    m_room.wait(lock, [this] { return m_stop || m_full.size() < k_most_pieces; });
    m_current.rows += found.rows;
    m_current.row_count += found.row_count;
    m_current.bytes += found.bytes;
    m_current.directories += found.directories;
    m_current.others += found.others;
    m_current.filtered += found.filtered;
    m_current.vanished += found.vanished;
    m_current.failed_lines += found.failed_lines;
    m_current.failed_entries += found.failed_entries;
    m_current.failed_names += found.failed_names;
    for (Error& error : found.problems)
      if (m_current.problems.size() < k_most_problems) m_current.problems.push_back(std::move(error));
    is_full = m_current.row_count >= k_rows_per_piece || m_current.failed_names.size() >= k_names_per_piece;
    if (is_full) m_full.push_back(std::exchange(m_current, {}));
  }
  found.rows.clear();  // keeps its room
  std::string rows = std::move(found.rows);
  found = {};
  found.rows = std::move(rows);
  if (is_full) m_notify();
}

}  // namespace lhsm::scan
