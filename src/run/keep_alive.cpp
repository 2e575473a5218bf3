// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/keep_alive.hpp"

#include <utility>

#include "coordinator_answer.hpp"
#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::run {

KeepAlive::KeepAlive(lustre::Client& client, std::function<void()> on_answer)
    : m_client(client),
      m_on_answer(std::move(on_answer)),
      m_thread([this](const std::stop_token& stop) { run(stop); }) {}

KeepAlive::~KeepAlive() = default;  // the thread is asked to stop and joined

bool KeepAlive::idle() const {
  const std::lock_guard lock(m_mutex);
  return m_idle;
}

void KeepAlive::report(Actions actions) {
  if (actions.empty()) return;
  const std::lock_guard lock(m_mutex);
  m_actions = std::move(actions);
  m_idle = false;
  m_changed.notify_all();
}

KeepAlive::Answers KeepAlive::take_answers() {
  const std::lock_guard lock(m_mutex);
  return std::exchange(m_answers, {});
}

bool KeepAlive::stopped() const {
  const std::lock_guard lock(m_mutex);
  return m_stopped;
}

void KeepAlive::run(const std::stop_token& stop) {
  std::unique_lock lock(m_mutex);
  while (m_changed.wait(lock, stop, [this] { return !m_idle; }) && !stop.stop_requested()) {
    report_all(stop, lock);
    m_idle = true;
    lock.unlock();
    m_on_answer();
    lock.lock();
  }
  m_stopped = true;
  lock.unlock();
  m_on_answer();
}

void KeepAlive::report_all(const std::stop_token& stop, std::unique_lock<std::mutex>& lock) {
  const Actions actions = std::exchange(m_actions, {});
  for (const Action& action : actions) {
    if (stop.stop_requested()) return;
    lock.unlock();
    abi::hsm_progress alive{};
    alive.hp_fid = {action.fid.seq, action.fid.oid, action.fid.ver};
    alive.hp_cookie = action.cookie;
    const Status answer = m_client.progress(alive);
    if (!answer)
      log::debug("{} cookie {:#x} waits, and its coordinator says: {}", action.fid.bracketed(), action.cookie,
                 answer.error().describe());
    lock.lock();
    if (answer) continue;
    const int sys_errno = answer.error().sys_errno;
    m_answers.estranged = m_answers.estranged || is_estranged(sys_errno);
    if (sys_errno == ECANCELED)
      m_answers.cancelled.push_back(action.job);
    else if (sys_errno == ENOENT)
      m_answers.forgotten.push_back(action.job);
    else if (is_estranged(sys_errno))
      return;  // it does not run: it would say the same of all
  }
}

}  // namespace lhsm::run
