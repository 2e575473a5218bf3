// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/pages/distribution.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace lhsm::pages {

void SizeDistribution::add(std::uint64_t size) {
  Amount& amount = m_classes.at(static_cast<std::size_t>(std::bit_width(size)));
  ++amount.items;
  amount.bytes += size;
}

std::uint64_t SizeDistribution::quantile(double share) const {
  std::uint64_t all = 0;
  for (const Amount& amount : m_classes) all += amount.items;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < k_classes; ++i) {
    seen += m_classes.at(i).items;
    if (seen > 0 && static_cast<double>(seen) >= share * static_cast<double>(all))
      return i == 0 ? 0 : i == 64 ? ~std::uint64_t{0} : std::uint64_t{1} << i;
  }
  return 0;
}

void Latencies::add(double seconds) {
  if (!(seconds >= 0)) seconds = 0;  // clocks of two hosts; or no number at all
  const double place = seconds > 0 ? (std::log2(seconds) - k_first_octave) * static_cast<double>(k_steps) : 0;
  const double last = static_cast<double>(m_counts.size() - 1);
  ++m_counts.at(static_cast<std::size_t>(std::clamp(std::floor(place), 0.0, last)));
  ++m_count;
  m_sum += seconds;
  m_longest = std::max(m_longest, seconds);
}

double Latencies::quantile(double share) const {
  if (m_count == 0) return 0;
  const double wanted = share * static_cast<double>(m_count);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < m_counts.size(); ++i) {
    seen += m_counts[i];
    if (static_cast<double>(seen) < wanted || seen == 0) continue;
    const double end = std::exp2(static_cast<double>(i + 1) / static_cast<double>(k_steps) + k_first_octave);
    return std::min(end, m_longest);
  }
  return m_longest;
}

std::uint64_t Latencies::in_octave(std::size_t octave) const {
  const auto begin = m_counts.begin() + static_cast<std::ptrdiff_t>(octave * k_steps);
  return std::accumulate(begin, begin + k_steps, std::uint64_t{0});
}

}  // namespace lhsm::pages
