// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/cluster_model.hpp"

#include <linux/futex.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <string>

#include "client/file_layout.hpp"
#include "client/mount.hpp"
#include "client/ost_extents.hpp"
#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::uint64_t k_second = 1'000'000'000;
/// Who asks again this soon after its last transfer was not idle but late: woken late, or busy with the
/// data themselves. It goes on where it should have been. Who comes later begins now, without a burst.
constexpr std::uint64_t k_lateness = 50'000'000;
constexpr std::uint64_t k_forgotten = 60 * k_second;  ///< a client's slot that others may have
/// A long transfer is many RPCs: whoever shares an OST with it gets his turn between them.
constexpr std::uint64_t k_piece = 4 * k_MiB;

/// The states of all mounts of this process, for cluster_model_is_active().
constexpr std::size_t k_most_states = 16;
std::atomic<ClusterState*> g_states[k_most_states];
std::atomic<std::size_t> g_state_count{0};

std::uint64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * k_second + static_cast<std::uint64_t>(time.tv_nsec);
}

/// Wait for a moment. False: the model was changed before it came.
bool wait_until(ClusterState& state, std::uint32_t generation, std::uint64_t moment) {
  const timespec time{static_cast<time_t>(moment / k_second), static_cast<long>(moment % k_second)};
  while (state.generation == generation) {
    if (now() >= moment) return true;
    ::syscall(SYS_futex, &state.generation, FUTEX_WAIT_BITSET, generation, &time, nullptr, FUTEX_BITSET_MATCH_ANY);
  }
  return false;
}

/// Reserve time for `bytes` on a line; return the moment at which they are through.
std::uint64_t reserve(Line& line, std::uint64_t at, std::uint64_t bytes, std::uint64_t bandwidth) {
  if (bandwidth == 0) return at;
  const auto cost = bytes * k_second / bandwidth;
  auto busy_until = line.load(std::memory_order_relaxed);
  for (;;) {
    const auto end = (busy_until + k_lateness < at ? at : busy_until) + cost;
    if (line.compare_exchange_weak(busy_until, end, std::memory_order_relaxed)) return end;
  }
}

std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 31U)) * 0x7fb5d329728ea185ULL;
  value = (value ^ (value >> 27U)) * 0x81dadef4bc2dd44dULL;
  return value ^ (value >> 33U);
}

int refusal(const ClusterState& state, const std::vector<OstShare>& shares, bool is_write) {
  for (const auto& share : shares) {
    const auto condition = state.osts[share.ost % k_most_osts].condition.load();
    if (condition == OstCondition::inactive) return EIO;
    if (condition == OstCondition::full && is_write) return ENOSPC;
  }
  return 0;
}

}  // namespace

struct ClusterModel::Piece {
  std::vector<OstShare> shares;
  std::uint64_t bytes = 0;
  bool is_write = false;
};

bool cluster_model_is_active() {
  static std::atomic<bool> has_looked{false};
  // Not a static's constructor: looking reads files, and who interposes read() asks here again.
  if (!has_looked.load(std::memory_order_relaxed) && !has_looked.exchange(true))
    if (const char* directory = std::getenv("LHSM_EMULATOR_MOUNT"); directory != nullptr && *directory != '\0')
      std::ignore = find_mount(std::string(directory));
  const auto count = std::min(g_state_count.load(std::memory_order_acquire), k_most_states);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* state = g_states[i].load(std::memory_order_acquire);
    if (state != nullptr && (state->is_paced.load(std::memory_order_relaxed) != 0 ||
                             state->lost_count.load(std::memory_order_relaxed) != 0))
      return true;
  }
  return g_state_count.load(std::memory_order_relaxed) > k_most_states;  // then the mount itself has to be asked
}

int model_transfer(Mount& mount, int fd, std::uint64_t offset, std::size_t size, bool is_write) {
  const int before = errno;
  const int result = mount.model().transfer(mount, fd, offset, size, is_write);
  errno = before;
  return result;
}

void model_rpc(Mount& mount) { mount.model().rpc(); }

void ClusterModel::attach(int mount_fd) {
  if (state() != nullptr) return;
  const auto mapped = map_cluster(mount_fd);
  if (!mapped) return;  // no daemon has made it yet: there is no model
  ClusterState* none = nullptr;
  // Of two threads one has mapped it for nothing.
  if (!m_state.compare_exchange_strong(none, *mapped)) return;
  if (const auto index = g_state_count++; index < k_most_states) g_states[index] = *mapped;
}

ClientState& ClusterModel::client(ClusterState& state) {
  const auto key = client_key(client_uuid());
  const auto cached = m_slot.load(std::memory_order_relaxed);
  if (state.clients[cached].key.load(std::memory_order_relaxed) == key) return state.clients[cached];
  const auto found_at = [&](std::uint32_t slot) -> ClientState& {
    m_slot.store(slot, std::memory_order_relaxed);
    return state.clients[slot];
  };
  const auto first = static_cast<std::uint32_t>(key % k_client_slots);
  for (std::uint32_t i = 0; i < k_client_slots; ++i) {
    const auto slot = (first + i) % k_client_slots;
    std::uint64_t holder = 0;
    if (state.clients[slot].key.compare_exchange_strong(holder, key) || holder == key) return found_at(slot);
  }
  // Every process may be a client of its own, and most are gone after a while.
  const auto at = now();
  for (std::uint32_t i = 0; i < k_client_slots; ++i) {
    const auto slot = (first + i) % k_client_slots;
    auto& candidate = state.clients[slot];
    auto holder = candidate.key.load();
    const auto last = std::max(candidate.reads_until.load(), candidate.writes_until.load());
    if (last + k_forgotten < at && candidate.key.compare_exchange_strong(holder, key)) return found_at(slot);
  }
  return state.clients[first];  // shared with another one
}

bool ClusterModel::wait_for_piece(ClusterState& state, const Piece& piece) {
  const auto generation = state.generation.load();
  if (state.is_paced == 0) return true;
  const auto at = now();
  auto& self = client(state);
  auto end = reserve(piece.is_write ? self.writes_until : self.reads_until, at, piece.bytes, state.client_bandwidth);
  for (const auto& share : piece.shares) {
    auto& ost = state.osts[share.ost % k_most_osts];
    const auto bandwidth = ost.condition == OstCondition::slow ? ost.bandwidth.load() : state.ost_bandwidth.load();
    end = std::max(end, reserve(ost.busy_until, at, share.bytes, bandwidth));
  }
  return wait_until(state, generation, end);
}

void ClusterModel::wait_for_latency(ClusterState& state) {
  const auto generation = state.generation.load();
  const auto latency = state.rpc_latency.load();
  const auto jitter = state.jitter.load();
  if (state.is_paced == 0 || latency + jitter == 0) return;
  auto wait = latency;
  if (jitter != 0) {
    auto& self = client(state);
    const auto drawn = mix(state.seed ^ mix(self.key + mix(self.calls++)));
    wait += drawn % (jitter + 1);
  }
  std::ignore = wait_until(state, generation, now() + wait);
}

void ClusterModel::rpc() {
  if (auto* shared = state(); shared != nullptr && shared->is_paced.load(std::memory_order_relaxed) != 0)
    wait_for_latency(*shared);
}

int ClusterModel::transfer(const Mount& mount, int fd, std::uint64_t offset, std::size_t size, bool is_write) {
  auto* shared = state();
  if (shared == nullptr) return 0;
  if (shared->lost_count != 0)
    if (const auto path = path_in_mount(mount, fd))
      if (const auto fid = volatile_fid_of(*path); fid && is_lost(*shared, client_key(client_uuid()), *fid)) return EIO;
  if (shared->is_paced == 0) return 0;
  struct stat st {};
  if (::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return 0;
  std::uint64_t left = size;
  if (!is_write) {
    const auto end = static_cast<std::uint64_t>(st.st_size);
    left = offset >= end ? 0 : std::min<std::uint64_t>(size, end - offset);
  }
  if (left == 0) return 0;
  auto layout = m_layouts.layout_of(mount, fd, st);
  if (layout->is_composite) {
    // A write makes the components that it reaches.
    FileFacts facts;
    facts.size = offset + left;
    layout = std::make_shared<const Layout>(layout_as_seen(*layout, facts, ost_map(mount)));
  }
  // All of it fails or none: the caller transfers nothing before this returns.
  if (const int error = refusal(*shared, ost_extents(*layout, offset, left), is_write); error != 0) return error;
  while (left > 0) {
    Piece piece;
    piece.bytes = std::min(left, k_piece);
    piece.shares = ost_extents(*layout, offset, piece.bytes);
    piece.is_write = is_write;
    if (const int error = refusal(*shared, piece.shares, is_write); error != 0) return error;
    if (!wait_for_piece(*shared, piece)) continue;  // under the new settings, from this piece on
    offset += piece.bytes;
    left -= piece.bytes;
  }
  wait_for_latency(*shared);
  return 0;
}

}  // namespace lhsm::emulator
