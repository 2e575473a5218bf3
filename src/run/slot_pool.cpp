// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/slot_pool.hpp"

#include <algorithm>

#include "lhsmtool_mpi/base/threads.hpp"

namespace lhsm::run {

SlotPool::SlotPool(std::size_t slots, std::size_t buffer_bytes, std::function<void()> on_idle)
    : m_on_idle(std::move(on_idle)) {
  start_threads(m_threads, slots, [this, buffer_bytes](std::size_t) { run(buffer_bytes); }, [this] { stop(); });
}

SlotPool::~SlotPool() { stop(); }

void SlotPool::stop() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_changed.notify_all();
}

void SlotPool::add(Task task) {
  {
    const std::lock_guard lock(m_mutex);
    m_tasks.push_back(std::move(task));
  }
  m_changed.notify_one();
}

void SlotPool::add(std::vector<Task> tasks) {
  {
    const std::lock_guard lock(m_mutex);
    for (Task& task : tasks) m_tasks.push_back(std::move(task));
  }
  m_changed.notify_all();
}

std::vector<JobId> SlotPool::take_back(std::size_t most) {
  std::vector<JobId> taken;
  const std::lock_guard lock(m_mutex);
  for (auto it = m_tasks.end(); it != m_tasks.begin() && taken.size() < most;) {
    --it;
    if (!it->recallable) continue;
    taken.push_back(it->job);
    it = m_tasks.erase(it);
  }
  std::reverse(taken.begin(), taken.end());
  return taken;
}

std::vector<SlotPool::Task> SlotPool::take_out(JobId job) {
  std::vector<Task> taken;
  const std::lock_guard lock(m_mutex);
  for (auto it = m_tasks.begin(); it != m_tasks.end();) {
    if (it->job != job || !it->abandon) {
      ++it;
      continue;
    }
    taken.push_back(std::move(*it));
    it = m_tasks.erase(it);
  }
  return taken;
}

std::size_t SlotPool::running() const {
  const std::lock_guard lock(m_mutex);
  return m_running;
}

Duration SlotPool::idle_time() const {
  const std::lock_guard lock(m_mutex);
  return m_running > 0 ? m_idle : m_idle + (std::chrono::steady_clock::now() - m_idle_since);
}

bool SlotPool::idle() const {
  const std::lock_guard lock(m_mutex);
  return m_running == 0 && m_tasks.empty();
}

void SlotPool::run(std::size_t buffer_bytes) {
  copy::Engine engine(buffer_bytes);
  std::unique_lock lock(m_mutex);
  for (;;) {
    m_changed.wait(lock, [this] { return m_stop || !m_tasks.empty(); });
    if (m_tasks.empty()) return;
    Task task = std::move(m_tasks.front());
    m_tasks.pop_front();
    if (m_running++ == 0) m_idle += std::chrono::steady_clock::now() - m_idle_since;
    lock.unlock();
    task.run(engine);
    task = {};  // what it holds is let go before the slot counts as free
    lock.lock();
    if (--m_running == 0) m_idle_since = std::chrono::steady_clock::now();
    if (m_tasks.empty()) {
      lock.unlock();
      m_on_idle();
      lock.lock();
    }
  }
}

}  // namespace lhsm::run
