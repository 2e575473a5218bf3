// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/status_json.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "core/model_settings.hpp"
#include "core/text.hpp"

namespace lhsm::emulator {
namespace {

/// As numbers: bytes a second (0: no limit) and nanoseconds.
nlohmann::ordered_json model_json(const ClusterState* state) {
  using nlohmann::ordered_json;
  if (state == nullptr) return nullptr;
  const auto model = ModelSettings::read_from(*state);
  ordered_json osts = ordered_json::array();
  for (const auto& ost : model.osts) osts.push_back(ost_text(ost));
  return {{"on", model.is_on},
          {"client_bandwidth", model.client_bandwidth},
          {"ost_bandwidth", model.ost_bandwidth},
          {"rpc_latency_ns", model.rpc_latency},
          {"jitter_ns", model.jitter},
          {"seed", model.seed},
          {"osts", osts}};
}

}  // namespace

std::string status_json(const std::string& fsname, pid_t pid, const std::vector<std::unique_ptr<Coordinator>>& mdts,
                        const ClusterView& cluster) {
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
  ordered_json clients = ordered_json::array();
  for (const auto& [uuid, pids] : cluster.clients) clients.push_back({{"uuid", uuid}, {"pids", pids}});
  ordered_json locks = ordered_json::array();
  for (const auto& [fid, group] : cluster.group_locks) locks.push_back({{"fid", fid.bracketed()}, {"group", group}});
  return ordered_json({{"fsname", fsname},
                       {"pid", pid},
                       {"mdts", list},
                       {"model", model_json(cluster.state)},
                       {"clients", clients},
                       {"group_locks", locks},
                       {"blocked_readers", cluster.blocked_readers}})
      .dump();
}

}  // namespace lhsm::emulator
