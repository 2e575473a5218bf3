// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "mpi_check.hpp"

namespace lhsm::comm {

namespace {

using namespace std::chrono_literals;

constexpr int k_link_tag = 2;
constexpr int k_warm_up = 4;
constexpr int k_small_rounds = 50;
constexpr int k_large_rounds = 4;
constexpr std::size_t k_large_bytes = std::size_t{4} << 20U;
constexpr std::chrono::seconds k_patience{60};
constexpr std::chrono::milliseconds k_nap{1};

using Clock = std::chrono::steady_clock;

/// Wait for a request; spinning, as what is measured is MPI and not our naps, or with naps. Return whether it ended in time.
bool wait(MPI_Request& request, bool naps, Clock::time_point deadline) {
  for (int done = 0;;) {
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done != 0) return true;
    if (Clock::now() > deadline) return false;
    if (naps) std::this_thread::sleep_for(k_nap);
  }
}

struct Wire {
  MPI_Comm communicator;
  int peer;

  void exchange(MPI_Request& request, bool naps, Clock::time_point deadline) const {
    if (!wait(request, naps, deadline))
      throw Fatal(fmt::format("rank {} does not answer within {} s: MPI does not carry messages between all hosts", peer, k_patience / 1s));
  }
  void send(Bytes& bytes) const {
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Isend(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, peer, k_link_tag, communicator, &request), "MPI_Isend");
    exchange(request, false, Clock::now() + k_patience);
  }
  void receive(Bytes& bytes, bool naps, Clock::time_point deadline) const {
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Irecv(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, peer, k_link_tag, communicator, &request), "MPI_Irecv");
    exchange(request, naps, deadline);
  }
  void there_and_back(Bytes& bytes) const {
    send(bytes);
    receive(bytes, false, Clock::now() + k_patience);
  }
  /// The other end of there_and_back(). It begins when rank 0 comes to this rank.
  void echo(Bytes& bytes, bool is_first) const {
    receive(bytes, is_first, is_first ? Clock::time_point::max() : Clock::now() + k_patience);
    send(bytes);
  }
};

Bytes pattern(std::size_t bytes, int peer) {
  Bytes made(bytes);
  for (std::size_t i = 0; i < bytes; ++i) made[i] = static_cast<std::byte>(i * 31 + i / 251 + static_cast<std::size_t>(peer));
  return made;
}

MpiSession::Link measure(const Wire& wire) {
  Bytes small = pattern(8, wire.peer);
  for (int i = 0; i < k_warm_up; ++i) wire.there_and_back(small);
  Clock::duration quickest = Clock::duration::max();
  for (int i = 0; i < k_small_rounds; ++i) {
    const auto begun = Clock::now();
    wire.there_and_back(small);
    quickest = std::min(quickest, Clock::now() - begun);
  }
  const Bytes sent = pattern(k_large_bytes, wire.peer);
  Bytes large = sent;
  Clock::duration best = Clock::duration::max();
  for (int i = 0; i < k_large_rounds; ++i) {
    const auto begun = Clock::now();
    wire.there_and_back(large);
    best = std::min(best, Clock::now() - begun);
  }
  if (large != sent || small != pattern(8, wire.peer)) throw Fatal(fmt::format("what was sent to rank {} by MPI came back altered", wire.peer));
  const auto seconds = [](Clock::duration time) { return std::max(std::chrono::duration<double>(time).count(), 1e-9); };
  return {wire.peer, seconds(quickest) * 1e6 / 2, 2.0 * static_cast<double>(k_large_bytes) / (1U << 20U) / seconds(best)};
}

void answer(const Wire& wire) {
  Bytes small(8);
  for (int i = 0; i < k_warm_up + k_small_rounds; ++i) wire.echo(small, i == 0);
  Bytes large(k_large_bytes);
  for (int i = 0; i < k_large_rounds; ++i) wire.echo(large, false);
}

/// Return the ranks, of all, that are the first ones of their hosts.
std::vector<int> first_ranks(MPI_Comm communicator, int rank, int size) {
  MPI_Comm host = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(communicator, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &host), "MPI_Comm_split_type");
  int place = 0;
  check_mpi(MPI_Comm_rank(host, &place), "MPI_Comm_rank");
  check_mpi(MPI_Comm_free(&host), "MPI_Comm_free");
  std::vector<int> places(static_cast<std::size_t>(size));
  check_mpi(MPI_Allgather(&place, 1, MPI_INT, places.data(), 1, MPI_INT, communicator), "MPI_Allgather");
  std::vector<int> first;
  for (int i = 0; i < size; ++i)
    if (places[static_cast<std::size_t>(i)] == 0) first.push_back(i);
  return first;
}

}  // namespace

std::vector<MpiSession::Link> measure_mpi_links(MPI_Comm communicator, int rank, int size) {
  std::vector<MpiSession::Link> links;
  if (size < 2) return links;
  std::vector<int> peers = first_ranks(communicator, rank, size);
  std::erase(peers, 0);
  if (peers.empty()) peers.push_back(1);
  if (rank == 0) {
    for (const int peer : peers) links.push_back(measure({communicator, peer}));
  } else if (std::find(peers.begin(), peers.end(), rank) != peers.end()) {
    answer({communicator, 0});
  }
  return links;
}

}  // namespace lhsm::comm
