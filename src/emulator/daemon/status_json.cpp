// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/status_json.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "core/text.hpp"

namespace lhsm::emulator {

std::string status_json(const std::string& fsname, pid_t pid, const std::vector<std::unique_ptr<Coordinator>>& mdts,
                        std::size_t blocked_readers) {
  using nlohmann::ordered_json;
  ordered_json list = ordered_json::array();
  for (std::size_t index = 0; index < mdts.size(); ++index) {
    const auto& mdt = *mdts[index];
    std::array<std::uint64_t, 5> counts{};
    for (const auto& [id, record] : mdt.log().all()) ++counts[static_cast<std::size_t>(record.status)];
    ordered_json agents = ordered_json::array();
    for (const auto& agent : mdt.agents().list())
      agents.push_back({{"uuid", agent.uuid},
                        {"archives", agent.archives},
                        {"current", agent.current},
                        {"ok", agent.succeeded},
                        {"errors", agent.failed}});
    list.push_back({{"index", index},
                    {"hsm_control", control_text(mdt.state())},
                    {"max_requests", mdt.settings.max_requests},
                    {"running", mdt.running().size()},
                    {"records",
                     {{"waiting", counts[0]},
                      {"started", counts[1]},
                      {"failed", counts[2]},
                      {"canceled", counts[3]},
                      {"succeed", counts[4]}}},
                    {"agents", agents}});
  }
  return ordered_json({{"fsname", fsname}, {"pid", pid}, {"mdts", list}, {"blocked_readers", blocked_readers}}).dump();
}

}  // namespace lhsm::emulator
