// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Keeps a flood of lines from filling a log: in ten seconds so many of one kind are said, and so many of all kinds together;
// the others are counted. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"

namespace lhsm {

class Fold {
 public:
  static constexpr std::chrono::seconds k_window{10};
  static constexpr std::uint64_t k_of_a_kind = 20;
  static constexpr std::uint64_t k_of_all = 100;

  /// Lines that were not said.
  struct Folded {
    std::string kind;  ///< empty: of kinds that came when k_of_all lines had been said
    std::uint64_t count = 0;
    std::string last;  ///< the last of them
  };

  /// Return whether `line` is to be said now. `kind` is what equal lines have in common.
  [[nodiscard]] bool admit(std::string_view kind, std::string_view line);
  /// To be called often: return what was folded when the ten seconds are over, which begins the next ones.
  [[nodiscard]] std::vector<Folded> pass(TimePoint now);
  /// Return what was folded so far, and begin anew.
  [[nodiscard]] std::vector<Folded> close();

 private:
  struct Count {
    std::uint64_t admitted = 0;
    std::uint64_t folded = 0;
    std::string last;
  };

  TimePoint m_window{};
  std::uint64_t m_admitted = 0;
  std::map<std::string, Count, std::less<>> m_kinds;  // of these ten seconds: at most k_of_all, and that of all others
};

}  // namespace lhsm
