// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace lhsm::pages {

/// A stretch of time in which the job ran; nanoseconds since the epoch.
struct Span {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
};

/// What a job did over the time in which it ran: the times between its runs, which may be days, are left out. Cut into
/// bins of the same length, as many as a picture shows.
class Timeline {
 public:
  static constexpr std::size_t k_most_bins = 192;
  struct Bin {
    double done = 0;    ///< items
    double failed = 0;  ///< items
    double bytes = 0;   ///< copied, spread over the time that the copy took
  };

  Timeline() = default;
  /// `spans` in their order; they do not overlap, and none ends before it begins.
  explicit Timeline(std::vector<Span> spans);

  [[nodiscard]] const std::vector<Span>& spans() const { return m_spans; }
  [[nodiscard]] double seconds() const { return static_cast<double>(m_length_ns) * 1e-9; }
  [[nodiscard]] double bin_seconds() const {
    return m_bins.empty() ? 0 : seconds() / static_cast<double>(m_bins.size());
  }
  [[nodiscard]] const std::vector<Bin>& bins() const { return m_bins; }
  [[nodiscard]] std::vector<Bin>& bins() { return m_bins; }

  /// Return the bin of a moment; bins().size() when it is in no span.
  [[nodiscard]] std::size_t bin_of(std::int64_t time_ns) const;
  /// Call `visit(bin, share)` for each bin that [begin, end] touches, the shares of the part that lies in spans adding
  /// up to 1; not at all when none does.
  void spread(std::int64_t begin_ns, std::int64_t end_ns, const std::function<void(std::size_t, double)>& visit) const;

 private:
  [[nodiscard]] std::int64_t place(std::int64_t time_ns) const;

  [[nodiscard]] std::size_t span_at(std::int64_t time_ns) const;

  std::vector<Span> m_spans;
  std::vector<std::int64_t> m_before;  // length of the spans before each
  std::int64_t m_length_ns = 0;
  std::vector<Bin> m_bins;
};

}  // namespace lhsm::pages
