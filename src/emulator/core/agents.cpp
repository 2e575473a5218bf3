// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/agents.hpp"

#include <algorithm>

namespace lhsm::emulator {

bool Agent::serves(std::uint32_t archive_id) const {
  return archives.empty() || std::find(archives.begin(), archives.end(), archive_id) != archives.end();
}

void Agents::add(std::string_view uuid, std::span<const std::uint32_t> archives) {
  for (const auto& agent : m_agents)
    if (agent.uuid == uuid) return;
  Agent agent;
  agent.uuid = uuid;
  // An id of 0 anywhere in the list means "all archives".
  if (std::find(archives.begin(), archives.end(), 0U) == archives.end())
    agent.archives.assign(archives.begin(), archives.end());
  m_agents.push_back(std::move(agent));
}

void Agents::remove(std::string_view uuid) {
  std::erase_if(m_agents, [uuid](const Agent& agent) { return agent.uuid == uuid; });
}

void Agents::forget_requests() {
  for (auto& agent : m_agents) agent = {agent.uuid, agent.archives};
}

const Agent* Agents::best_for(std::uint32_t archive_id) const {
  const Agent* best = nullptr;
  for (const auto& agent : m_agents) {
    if (!agent.serves(archive_id)) continue;
    if (best == nullptr || agent.current < best->current) best = &agent;
    if (best->current == 0) break;
  }
  return best;
}

void Agents::count(std::string_view uuid, int current, int succeeded, int failed) {
  for (auto& agent : m_agents)
    if (agent.uuid == uuid) {
      agent.current += current;
      agent.succeeded += static_cast<std::uint64_t>(succeeded);
      agent.failed += static_cast<std::uint64_t>(failed);
      return;
    }
}

}  // namespace lhsm::emulator
