// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pace.hpp"

#include <algorithm>

#include "lhsmtool_mpi/copy/direct_mode.hpp"

namespace lhsm::verify {

namespace {

constexpr std::uint64_t k_pieces_a_second = 20;
constexpr std::uint64_t k_least_piece = std::uint64_t{64} << 10U;
// No bytes take longer than this: a time that is out of range would be over at once.
constexpr std::chrono::hours k_longest{24 * 365};

}  // namespace

std::size_t Pace::piece(std::size_t most) const {
  if (m_limit == 0) return most;
  const std::uint64_t bytes = m_limit / k_pieces_a_second;
  const std::uint64_t whole = bytes - bytes % copy::k_direct_alignment;
  return static_cast<std::size_t>(std::min<std::uint64_t>(most, std::max(whole, k_least_piece)));
}

bool Pace::take(std::size_t bytes) {
  if (m_limit == 0) return true;
  const std::chrono::duration<double> cost(static_cast<double>(bytes) / static_cast<double>(m_limit));
  std::unique_lock lock(m_mutex);
  const TimePoint now = std::chrono::steady_clock::now();
  m_free_at = std::max(m_free_at, now) + std::chrono::ceil<Duration>(std::min<std::chrono::duration<double>>(cost, k_longest));
  m_free_at = std::min<TimePoint>(m_free_at, now + k_longest);
  const TimePoint mine = m_free_at;
  return !m_changed.wait_until(lock, mine, [this] { return m_is_stopped; });
}

void Pace::stop() {
  const std::lock_guard lock(m_mutex);
  m_is_stopped = true;
  m_changed.notify_all();
}

}  // namespace lhsm::verify
