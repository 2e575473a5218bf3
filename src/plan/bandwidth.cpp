// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/bandwidth.hpp"

#include <algorithm>
#include <cmath>

namespace lhsm::plan {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::uint64_t k_pieces_a_second = 20;
constexpr std::uint64_t k_bursts_a_second = 5;
constexpr std::uint64_t k_least_piece = 64 * 1024;
constexpr std::uint64_t k_page = 4096;

}  // namespace

std::uint64_t bandwidth_piece(std::uint64_t bytes_per_second) {
  const std::uint64_t piece = bytes_per_second / k_pieces_a_second;
  return std::max(piece - piece % k_page, k_least_piece);
}

void BandwidthShare::set_limit(std::uint64_t bytes_per_second, TimePoint now) {
  m_limit = bytes_per_second;
  m_tokens = 0;
  m_filled = now;
  m_queue.clear();
  for (auto& [worker, account] : m_accounts) {
    account.wanted = account.granted;
    account.queued = false;
  }
}

void BandwidthShare::want(WorkerId worker, std::uint64_t total) {
  if (m_limit == 0) return;
  Account& account = m_accounts[worker];
  account.wanted = total;
  if (account.queued || account.wanted <= account.granted) return;
  account.queued = true;
  m_queue.push_back(worker);
}

/// What the first of the queue gets. It waits for all of it: pieces of a piece move nothing.
std::uint64_t BandwidthShare::turn() const {
  const Account& account = m_accounts.at(m_queue.front());
  const std::uint64_t missing = account.wanted - account.granted;
  const std::uint64_t piece = bandwidth_piece(m_limit);
  return std::max(std::min(missing, piece), piece / m_queue.size());
}

void BandwidthShare::fill(TimePoint now) {
  const double burst = static_cast<double>(std::max(m_limit / k_bursts_a_second, bandwidth_piece(m_limit)));
  const double passed = std::max(Seconds(now - m_filled).count(), 0.0);
  m_tokens = std::min(m_tokens + passed * static_cast<double>(m_limit), burst);
  m_filled = now;
}

void BandwidthShare::drop_satisfied() {
  while (!m_queue.empty()) {
    Account& account = m_accounts.at(m_queue.front());
    if (account.wanted > account.granted) return;
    account.queued = false;
    m_queue.pop_front();
  }
}

std::optional<BandwidthShare::Grant> BandwidthShare::next(TimePoint now) {
  if (m_limit == 0) return std::nullopt;
  fill(now);
  drop_satisfied();
  if (m_queue.empty()) return std::nullopt;
  const std::uint64_t bytes = turn();
  if (m_tokens < static_cast<double>(bytes)) return std::nullopt;
  m_tokens -= static_cast<double>(bytes);
  const WorkerId worker = m_queue.front();
  m_queue.pop_front();
  Account& account = m_accounts.at(worker);
  account.granted += bytes;
  account.queued = account.wanted > account.granted;
  if (account.queued) m_queue.push_back(worker);
  return Grant{worker, bytes};
}

std::optional<TimePoint> BandwidthShare::due(TimePoint now) const {
  if (m_limit == 0 || m_queue.empty()) return std::nullopt;
  const Account& first = m_accounts.at(m_queue.front());
  if (first.wanted <= first.granted) return now;  // next() passes it over
  const double missing = static_cast<double>(turn()) - m_tokens;
  if (missing <= 0) return now;
  const Seconds wait(std::min(missing / static_cast<double>(m_limit), 3600.0));
  return m_filled + std::chrono::ceil<Duration>(wait);
}

}  // namespace lhsm::plan
