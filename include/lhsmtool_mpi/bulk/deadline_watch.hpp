// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "lhsmtool_mpi/base/clock.hpp"

namespace lhsm::bulk {

/// Says what a job may still begin before a point in time at which it has to stop: a copy that is cut off there has
/// wasted the time of its bytes. Judges by what this run has measured so far; as long as it has measured nothing, all is
/// let through, so that every run gets on. What a small file takes is no measure of bytes: until one of k_telling_size is
/// done, files count by their number only. Pure: sizes in bytes, times of one clock.
class DeadlineWatch {
 public:
  struct Options {
    std::optional<TimePoint> stop_at;  ///< nothing: there is no deadline, and everything fits
  };
  enum class Verdict : std::uint8_t {
    fits,  ///< begin it
    wait,  ///< not with what is under way; ask again when something of that has ended
    late,  ///< not even alone: leave it to the next run
  };

  /// From here on a file's time is that of its bytes, and not that of opening it, of the coordinator and the MDT.
  static constexpr std::uint64_t k_telling_size = std::uint64_t{16} << 20U;

  explicit DeadlineWatch(Options options) : m_options(options) {}

  [[nodiscard]] std::optional<TimePoint> stop_at() const { return m_options.stop_at; }
  [[nodiscard]] bool has_come(TimePoint now) const { return m_options.stop_at && now >= *m_options.stop_at; }

  /// Whether an item of that size would be over in time. What is `late` may fit when more is measured.
  [[nodiscard]] Verdict judge(std::uint64_t size, TimePoint now) const;

  /// An item is under way from now on.
  void begun(std::uint64_t size, TimePoint now);
  /// An item that had begun is not under way any more, in whatever way that came.
  void over(std::uint64_t size);
  /// An item was carried out; its copy alone took that long.
  void succeeded(std::uint64_t size, Duration took);

 private:
  [[nodiscard]] double seconds_of(std::uint64_t bytes, double passed) const;

  Options m_options;
  std::optional<TimePoint> m_first;  // when the first item began
  std::uint64_t m_items = 0;         // under way
  std::uint64_t m_bytes = 0;
  std::uint64_t m_items_done = 0;
  std::uint64_t m_bytes_done = 0;
  bool m_has_telling = false;  // an item of k_telling_size is done
  double m_best = 0;           // bytes per second of the fastest copy of one of these
};

}  // namespace lhsm::bulk
