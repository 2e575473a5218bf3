// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/cluster_state.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <string>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::emulator {
namespace {

Outcome<ClusterState*> map_file(const Fd& file) {
  struct stat st {};
  if (::fstat(*file, &st) != 0) return errno_error("stat", k_cluster_file);
  // A mapping beyond the end would be a SIGBUS.
  if (st.st_size < static_cast<off_t>(sizeof(ClusterState))) return errno_error("map", k_cluster_file, EPROTO);
  void* memory = ::mmap(nullptr, sizeof(ClusterState), PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
  if (memory == MAP_FAILED) return errno_error("map", k_cluster_file);
  auto* state = static_cast<ClusterState*>(memory);
  if (state->magic == ClusterState::k_magic && state->bytes == sizeof(ClusterState)) return state;
  std::ignore = ::munmap(memory, sizeof(ClusterState));
  return errno_error("map", k_cluster_file, EPROTO);
}

/// Every page gets its blocks now: a mapping of a file system that is full later must not be a SIGBUS.
Status fill(const Fd& file) {
  const std::uint32_t head[2] = {ClusterState::k_magic, sizeof(ClusterState)};
  std::string bytes(sizeof(ClusterState), '\0');
  std::copy_n(reinterpret_cast<const char*>(head), sizeof head, bytes.data());
  for (std::string_view left = bytes; !left.empty();) {
    const auto size = ::write(*file, left.data(), left.size());
    if (size < 0) return errno_error("write", k_cluster_file);
    left.remove_prefix(static_cast<std::size_t>(size));
  }
  // Whoever reads and writes files of the mount reserves time in it.
  if (::fchmod(*file, 0666) != 0) return errno_error("chmod", k_cluster_file);
  return {};
}

}  // namespace

std::uint64_t client_key(std::string_view uuid) {
  std::uint64_t key = 0xcbf29ce484222325ULL;
  for (const char c : uuid) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return key == 0 ? 1 : key;
}

Outcome<ClusterState*> map_cluster(int mount_fd) {
  const Fd file(::openat(mount_fd, k_cluster_file, O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return errno_error("open", k_cluster_file);
  return map_file(file);
}

Outcome<ClusterState*> make_cluster(int mount_fd, std::uint32_t ost_count) {
  // The same file as before wherever possible: clients that outlive a daemon have it mapped.
  auto state = map_cluster(mount_fd);
  if (!state) {
    const auto temporary = std::string(k_cluster_file) + ".new";
    const Fd file(::openat(mount_fd, temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!file) return errno_error("create", k_cluster_file);
    LHSM_TRY(fill(file));
    if (::renameat(mount_fd, temporary.c_str(), mount_fd, k_cluster_file) != 0)
      return errno_error("rename", k_cluster_file);
    state = map_file(file);
    if (!state) return state;
  }
  (*state)->ost_count = ost_count;
  restart_lines(**state);
  return state;
}

void restart_lines(ClusterState& state) {
  for (auto& ost : state.osts) ost.busy_until = 0;
  for (auto& client : state.clients) client.reads_until = client.writes_until = client.calls = 0;
  ++state.generation;
  ::syscall(SYS_futex, &state.generation, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void enter_lost(ClusterState& state, std::string_view uuid, const Fid& fid) {
  // The oldest entry is overwritten: its descriptors then are good again, which harms nobody much.
  auto& entry = state.lost[state.lost_count % k_lost_slots];
  entry.client = 0;
  entry.seq = fid.seq;
  entry.oid = fid.oid;
  entry.client = client_key(uuid);
  ++state.lost_count;
}

bool is_lost(const ClusterState& state, std::uint64_t key, const Fid& fid) {
  const auto count = std::min<std::uint32_t>(state.lost_count, k_lost_slots);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto& entry = state.lost[i];
    if ((key == k_any_client || entry.client == key) && entry.seq == fid.seq && entry.oid == fid.oid) return true;
  }
  return false;
}

}  // namespace lhsm::emulator
