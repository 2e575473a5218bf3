// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The commands about clients and the cluster: model, kill-client, evict.
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "client/mount.hpp"
#include "core/model_settings.hpp"
#include "tools/emulator_commands.hpp"

namespace lhsm::emulator {
namespace {

constexpr int k_patience_ms = 30'000;  ///< for killed processes to be gone

Mount& mount_at(const std::string& directory) {
  auto* mount = find_mount(directory);
  if (mount == nullptr) throw Fatal(directory + " is no emulated file system (lhsm_emulator start makes one)");
  return *mount;
}

void print(const ModelSettings& model) {
  std::printf("model: %s\n", model.is_on ? "on" : "off");
  std::printf("client-bandwidth=%s\nost-bandwidth=%s\nrpc-latency=%s\njitter=%s\nseed=%llu\n",
              bandwidth_text(model.client_bandwidth).c_str(), bandwidth_text(model.ost_bandwidth).c_str(),
              time_text(model.rpc_latency).c_str(), time_text(model.jitter).c_str(),
              static_cast<unsigned long long>(model.seed));
  for (std::size_t i = 0; i < model.osts.size(); ++i) std::printf("ost.%zu=%s\n", i, ost_text(model.osts[i]).c_str());
}

/// Ask about or kill the processes of a client.
std::vector<pid_t> ask_kill(Mount& mount, const std::string& client, bool really) {
  Writer request;
  request.put(Op::kill_client).put(client).put(node_uuid(client)).put(static_cast<std::uint8_t>(really));
  const auto answer = mount.call(request);
  if (answer.rc == -ESRCH) throw Fatal("no process of a client " + client + " is known");
  if (answer.rc < 0) throw Fatal("kill-client " + client + ": " + errno_name(-answer.rc));
  auto results = answer.results();
  std::vector<pid_t> pids(results.get<std::uint32_t>());
  for (auto& pid : pids) pid = results.get<std::int32_t>();
  return pids;
}

}  // namespace

int run_model(const std::string& directory, const std::vector<std::string>& words) {
  auto& mount = mount_at(directory);
  auto* state = mount.model().state();
  if (state == nullptr)
    throw Fatal(directory + " has no " + k_cluster_file + " yet, or one that is not ours to change");
  auto model = ModelSettings::read_from(*state);
  for (const auto& word : words)
    if (const auto applied = model.apply(word); !applied) throw UsageError(word + ": " + applied.error().operation);
  if (words.empty())
    print(model);
  else
    model.write_to(*state);
  return 0;
}

int run_kill_client(const std::string& directory, const std::string& client) {
  auto& mount = mount_at(directory);
  std::vector<Fd> handles;
  for (const auto pid : ask_kill(mount, client, false))
    if (Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); handle) handles.push_back(std::move(handle));
  for (const auto pid : ask_kill(mount, client, true)) std::printf("%d\n", static_cast<int>(pid));
  for (const auto& handle : handles) {
    pollfd gone{*handle, POLLIN, 0};
    if (::poll(&gone, 1, k_patience_ms) != 1) throw Fatal("kill-client " + client + ": killed, but not gone yet");
  }
  return 0;
}

int run_evict(const std::string& directory, const std::string& client) {
  Writer request;
  request.put(Op::evict_client).put(client).put(node_uuid(client));
  const auto answer = mount_at(directory).call(request);
  if (answer.rc == -ESRCH) throw Fatal("no client " + client + " is known");
  if (answer.rc < 0) throw Fatal("evict " + client + ": " + errno_name(-answer.rc));
  auto results = answer.results();
  const std::string uuid(results.get_text());
  const auto volatiles = results.get<std::uint32_t>();
  const auto dirty = results.get<std::uint32_t>();
  std::printf("%s: %u volatiles lost, %u files dirty\n", uuid.c_str(), volatiles, dirty);
  return 0;
}

}  // namespace lhsm::emulator
