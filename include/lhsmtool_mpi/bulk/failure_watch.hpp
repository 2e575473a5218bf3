// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::bulk {

/// Sees what each attempt came to, and says when to pause and when to stop: a job whose archive is not mounted must not
/// fail a million files one by one, and one whose target is full must wait, and then stop.
class FailureWatch {
 public:
  static constexpr std::size_t k_window = 100;
  struct Options {
    std::size_t abort_after = 90;  ///< stop when more than so many of the last k_window attempts failed; k_window: never
    std::chrono::milliseconds space_delay{10'000};  ///< pause when there is no space; doubles
    unsigned space_pauses = 5;                      ///< in a row, before the job stops
  };

  explicit FailureWatch(Options options) : m_options(options) {}

  void succeeded();
  /// A pause begins with a line in the log.
  void failed(const Error& error, TimePoint now);

  /// Why the job should stop, if so.
  [[nodiscard]] const std::string& verdict() const { return m_verdict; }
  /// Ask for nothing before.
  [[nodiscard]] TimePoint paused_until() const { return m_paused_until; }
  /// There was no space, and nothing has succeeded since: ask for one file at a time.
  [[nodiscard]] bool lacks_space() const { return m_pauses > 0; }

 private:
  void note(bool is_failure);

  Options m_options;
  std::array<bool, k_window> m_last{};
  std::size_t m_count = 0;
  std::size_t m_failures = 0;
  unsigned m_pauses = 0;
  TimePoint m_paused_until{};
  std::string m_verdict;
};

}  // namespace lhsm::bulk
