// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/ask_broker.hpp"

#include <algorithm>
#include <tuple>

namespace lhsm::bulk {

std::optional<comm::FilesAsked> AskBroker::ask(comm::AskFiles wanted) {
  std::unique_lock lock(m_mutex);
  if (m_closed) return std::nullopt;
  const std::uint64_t id = wanted.id = ++m_last_id;
  Errand& errand = m_errands[id];
  errand.files = wanted.files.size();
  m_waiting.push_back(std::move(wanted));
  if (m_wake) m_wake();
  m_answered.wait(lock, [&] { return m_closed || errand.is_answered; });
  auto done = m_errands.extract(id);
  if (!done.mapped().is_answered) return std::nullopt;
  return std::move(done.mapped().answer);
}

void AskBroker::open(std::vector<WorkerId> workers, std::function<void()> wake) {
  const std::lock_guard lock(m_mutex);
  for (const WorkerId worker : workers) m_loads[worker] = {};
  m_wake = std::move(wake);
  if (!m_waiting.empty()) m_wake();
}

void AskBroker::close() {
  const std::lock_guard lock(m_mutex);
  m_closed = true;
  m_wake = {};
  m_waiting.clear();
  m_answered.notify_all();
}

std::optional<std::pair<WorkerId, comm::AskFiles>> AskBroker::next() {
  const std::lock_guard lock(m_mutex);
  if (m_waiting.empty()) return std::nullopt;
  const auto least = std::min_element(m_loads.begin(), m_loads.end(), [](const auto& a, const auto& b) {
    return std::tie(a.second.sent, a.second.all) < std::tie(b.second.sent, b.second.all);
  });
  comm::AskFiles wanted = std::move(m_waiting.front());
  m_waiting.pop_front();
  m_errands.at(wanted.id).worker = least->first;
  ++least->second.sent;
  ++least->second.all;
  return std::pair(least->first, std::move(wanted));
}

bool AskBroker::answered(WorkerId from, const comm::FilesAsked& message) {
  const std::lock_guard lock(m_mutex);
  const auto at = m_errands.find(message.id);
  if (at == m_errands.end() || at->second.worker != from || at->second.is_answered || at->second.files != message.files.size())
    return false;
  at->second.answer = message;
  at->second.is_answered = true;
  --m_loads.at(from).sent;
  m_answered.notify_all();
  return true;
}

bool AskBroker::idle() const {
  if (any_holder()) return false;
  const std::lock_guard lock(m_mutex);
  return m_waiting.empty();
}

std::optional<WorkerId> AskBroker::any_holder() const {
  const std::lock_guard lock(m_mutex);
  for (const auto& [worker, load] : m_loads)
    if (load.sent > 0) return worker;
  return std::nullopt;
}

}  // namespace lhsm::bulk
