// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the modelled cluster does to a process: it waits for its share of the bandwidth, and fails where
// an OST is full or gone. Settings and reservations are in shared memory (core/cluster_state.hpp);
// `lhsm_emulator model` changes them while everything runs.
#pragma once

#include <atomic>
#include <cstdint>

#include "client/layout_cache.hpp"
#include "core/cluster_state.hpp"

namespace lhsm::emulator {

class Mount;

/// Return whether model_transfer() may do anything on any mount that this process has met (that of
/// LHSM_EMULATOR_MOUNT is met by the first call). No system call but for that.
[[nodiscard]] bool cluster_model_is_active();

/// To be called before a transfer on a regular file of the mount: wait as long as the model wants. Returns 0,
/// or the errno with which the transfer fails. What lies behind the end of a file is no transfer.
int model_transfer(Mount& mount, int fd, std::uint64_t offset, std::size_t size, bool is_write);

/// To be called before what is an RPC to an MDT on Lustre: wait for the latency.
void model_rpc(Mount& mount);

/// One mount's model as this process sees it.
class ClusterModel {
 public:
  /// Find the shared state, if it is there already; may be called again and again.
  void attach(int mount_fd);
  [[nodiscard]] ClusterState* state() const { return m_state.load(std::memory_order_acquire); }

  int transfer(const Mount& mount, int fd, std::uint64_t offset, std::size_t size, bool is_write);
  void rpc();

 private:
  struct Piece;
  ClientState& client(ClusterState& state);
  bool wait_for_piece(ClusterState& state, const Piece& piece);
  void wait_for_latency(ClusterState& state);

  std::atomic<ClusterState*> m_state{nullptr};
  std::atomic<std::uint32_t> m_slot{0};  // where client() found this process's client last
  LayoutCache m_layouts;
};

}  // namespace lhsm::emulator
