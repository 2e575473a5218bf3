// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/run/run_state.hpp"

namespace lhsm::report {

/// How often values were at most as large as each of some bounds.
class Histogram {
 public:
  static constexpr std::size_t k_most_bounds = 16;
  /// `bounds` rise, and live for ever.
  explicit Histogram(std::span<const double> bounds) : m_bounds(bounds) {}
  void add(double value);
  [[nodiscard]] std::span<const double> bounds() const { return m_bounds; }
  /// Values up to bounds()[i].
  [[nodiscard]] std::uint64_t up_to(std::size_t i) const;
  [[nodiscard]] std::uint64_t count() const { return m_count; }
  [[nodiscard]] double sum() const { return m_sum; }

 private:
  std::span<const double> m_bounds;
  std::array<std::uint64_t, k_most_bounds> m_in{};  // values above the bound before and up to this one
  std::uint64_t m_count = 0;
  double m_sum = 0;
};

/// What became of the actions of one kind.
struct KindTally {
  KindTally();
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t put_back = 0;
  Histogram seconds;  ///< from when an action came to its end, of the successful ones
  Histogram bytes;    ///< sizes of their files
};

/// What became of all actions of a run. Its size does not depend on how many there were.
struct Tally {
  static constexpr std::array k_kinds{ActionKind::archive, ActionKind::restore, ActionKind::remove};

  std::array<KindTally, k_kinds.size()> kinds;
  std::map<std::pair<ActionKind, int>, std::uint64_t> errnos;  ///< of the failed ones
  std::map<std::string, std::uint64_t> errors;                 ///< of the failed ones, as "RESTORE: pread (EIO)"

  void ended(const ActionItem& item, const run::ActionOutcome& outcome);
};

}  // namespace lhsm::report
