// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lhsm::pages {

/// Sizes by powers of two.
class SizeDistribution {
 public:
  static constexpr std::size_t k_classes = 65;  ///< class 0: empty; class n: from 2^(n-1) to 2^n - 1 bytes
  struct Amount {
    std::uint64_t items = 0;
    std::uint64_t bytes = 0;
  };

  void add(std::uint64_t size);
  /// Return a size, a power of two, that `share` (0 to 1) of the files do not exceed; 0 when there are none.
  [[nodiscard]] std::uint64_t quantile(double share) const;
  [[nodiscard]] const std::array<Amount, k_classes>& classes() const { return m_classes; }

 private:
  std::array<Amount, k_classes> m_classes{};
};

/// Durations from a millisecond to weeks, by powers of two cut into eight: quantiles are right to within 7 %.
class Latencies {
 public:
  static constexpr int k_first_octave = -10;  ///< 2^-10 s; what is shorter counts there
  static constexpr std::size_t k_octaves = 32;
  static constexpr std::size_t k_steps = 8;  ///< in each

  void add(double seconds);
  [[nodiscard]] std::uint64_t count() const { return m_count; }
  [[nodiscard]] double longest() const { return m_longest; }
  [[nodiscard]] double mean() const { return m_count == 0 ? 0 : m_sum / static_cast<double>(m_count); }
  /// Return the time within which `share` (0 to 1) of them ended; 0 when there are none.
  [[nodiscard]] double quantile(double share) const;
  /// Return how many took from 2^(k_first_octave + octave) s to twice that.
  [[nodiscard]] std::uint64_t in_octave(std::size_t octave) const;

 private:
  std::array<std::uint64_t, k_octaves * k_steps> m_counts{};
  std::uint64_t m_count = 0;
  double m_sum = 0;
  double m_longest = 0;
};

}  // namespace lhsm::pages
