// SPDX-License-Identifier: LGPL-2.1-or-later
//
// DIR/.lustre/model: the state of the modelled cluster (how fast its clients and OSTs are, and until when
// each of them is busy), mapped by every process of a mount. Nobody locks it: settings are single words,
// and time on a client's or an OST's line is reserved by compare-and-swap on the moment it is free.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

inline constexpr const char* k_cluster_file = ".lustre/model";
inline constexpr std::uint32_t k_default_osts = 4;
inline constexpr std::uint32_t k_most_osts = 256;
inline constexpr std::uint32_t k_client_slots = 1024;
inline constexpr std::uint32_t k_lost_slots = 4096;

enum class OstCondition : std::uint32_t { ok, slow, full, inactive };

/// A moment of CLOCK_MONOTONIC in nanoseconds: until then all of the line's bandwidth is given away.
using Line = std::atomic<std::uint64_t>;

struct alignas(64) OstState {
  std::atomic<OstCondition> condition;
  std::atomic<std::uint64_t> bandwidth;  ///< of a slow one, bytes a second
  Line busy_until;                       ///< reads and writes share the disks
};

struct alignas(64) ClientState {
  std::atomic<std::uint64_t> key;  ///< client_key() of who has the slot, 0: free
  Line reads_until;                ///< a network carries both directions at once
  Line writes_until;
  std::atomic<std::uint64_t> calls;  ///< numbers what the jitter is drawn for
};

/// A volatile that a client has open but lost with its eviction.
struct LostVolatile {
  std::atomic<std::uint64_t> client;  ///< its key, written last
  std::atomic<std::uint64_t> seq;
  std::atomic<std::uint64_t> oid;
};

struct ClusterState {
  std::uint32_t magic;
  std::uint32_t bytes;
  std::atomic<std::uint32_t> is_paced;    ///< the model is on
  std::atomic<std::uint32_t> lost_count;  ///< how many were ever entered in `lost`
  std::atomic<std::uint32_t> generation;  ///< grows with every change; what waits, waits on this word
  std::atomic<std::uint32_t> ost_count;
  // Bytes a second, 0: no limit; nanoseconds.
  std::atomic<std::uint64_t> client_bandwidth;
  std::atomic<std::uint64_t> ost_bandwidth;
  std::atomic<std::uint64_t> rpc_latency;
  std::atomic<std::uint64_t> jitter;
  std::atomic<std::uint64_t> seed;
  OstState osts[k_most_osts];
  ClientState clients[k_client_slots];
  LostVolatile lost[k_lost_slots];

  static constexpr std::uint32_t k_magic = 0x4c434d31;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<OstCondition>::is_always_lock_free);

/// Return the number that stands for a client's uuid in the state, never 0.
[[nodiscard]] std::uint64_t client_key(std::string_view uuid);

/// Map the file for the rest of this process's life. ENOENT when no daemon has made it yet.
Outcome<ClusterState*> map_cluster(int mount_fd);

/// Make the file if there is none of this form, and map it. Settings of an earlier run stay, its
/// reservations do not.
Outcome<ClusterState*> make_cluster(int mount_fd, std::uint32_t ost_count);

/// Give all reserved time back and wake whoever waits, to judge anew.
void restart_lines(ClusterState& state);

/// Enter that a client lost a volatile that it has open; ask for it.
void enter_lost(ClusterState& state, std::string_view uuid, const Fid& fid);
inline constexpr std::uint64_t k_any_client = 0;
/// Return whether a client, or any client, lost the volatile.
[[nodiscard]] bool is_lost(const ClusterState& state, std::uint64_t key, const Fid& fid);

}  // namespace lhsm::emulator
