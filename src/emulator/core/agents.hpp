// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lhsm::emulator {

/// A client that registered a copytool with one MDT.
struct Agent {
  std::string uuid;
  std::vector<std::uint32_t> archives;  ///< empty: serves all
  std::int64_t current = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;

  [[nodiscard]] bool serves(std::uint32_t archive_id) const;
};

/// The agents of one MDT, one per client: who registers a second time keeps the first list.
class Agents {
 public:
  void add(std::string_view uuid, std::span<const std::uint32_t> archives);
  void remove(std::string_view uuid);
  void clear() { m_agents.clear(); }
  /// Begin to count anew, as for agents that have just registered.
  void forget_requests();

  /// Return the first agent that serves the archive with the fewest current requests, or null.
  [[nodiscard]] const Agent* best_for(std::uint32_t archive_id) const;

  /// Add to the counters of an agent; one that is gone meanwhile is no error.
  void count(std::string_view uuid, int current, int succeeded, int failed);

  [[nodiscard]] const std::vector<Agent>& list() const { return m_agents; }

 private:
  std::vector<Agent> m_agents;  // in order of registration
};

}  // namespace lhsm::emulator
