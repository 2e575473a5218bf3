// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whether what a restore brings to Lustre fits into its OSTs, and into the quotas of the files' owners.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lhsmtool_mpi/bulk/forecast.hpp"
#include "lhsmtool_mpi/lustre/space.hpp"

namespace lhsm::bulk {

/// OSTs are usable that answer, take new objects, are not degraded and have room.
struct OstForecast {
  std::size_t all = 0;
  std::size_t usable = 0;
  std::map<std::string, std::vector<std::string>> unusable;  ///< names by reason
  // Of the usable ones:
  std::uint64_t free_bytes = 0;
  std::uint64_t free_objects = 0;
  std::uint64_t least_free = 0;  ///< bytes of the fullest
  std::uint64_t most_free = 0;   ///< bytes of the emptiest
  std::uint64_t needed_bytes = 0;
  std::uint64_t needed_objects = 0;
  /// The file with the largest piece on one OST, and that piece.
  std::string largest_file;
  std::uint64_t largest_piece = 0;
  /// The OST that runs over most when files are spread as is likely, and by how much; 0: none does. An estimate.
  std::string overrun;
  std::uint64_t overrun_bytes = 0;

  [[nodiscard]] bool fits() const {
    return needed_bytes <= free_bytes && needed_objects <= free_objects && largest_piece <= most_free;
  }
};

/// Files that are striped over all usable OSTs are taken to be spread evenly. The others, too, while the OSTs differ by
/// less than 17 % of what the emptiest has free (qos_threshold_rr), else in proportion to free space.
[[nodiscard]] OstForecast judge_osts(const std::vector<lustre::OstSpace>& osts, const Forecast& forecast);

struct QuotaForecast {
  /// So many are asked at most, those that need most first, as each question goes to all servers.
  static constexpr std::size_t k_most_asked = 1000;

  struct Kind {
    std::size_t told = 0;
    std::size_t untold = 0;  ///< were not answered, or not asked after such an answer
    int sys_errno = 0;       ///< the first reason
  };
  struct Excess {
    lustre::QuotaKind kind = lustre::QuotaKind::user;
    std::uint32_t id = 0;
    std::uint64_t bytes = 0;  ///< over its limit, once all is restored
    std::uint64_t files = 0;  ///< over its limit now; a restore makes none
  };
  std::map<lustre::QuotaKind, Kind> kinds;  ///< of which there are ids
  std::vector<Excess> excesses;             ///< the largest first
  std::size_t left_out = 0;                 ///< ids beyond k_most_asked

  [[nodiscard]] bool fits() const;
};

/// Ask for the hard limits of all that own files to be restored; id 0 has none.
[[nodiscard]] QuotaForecast ask_quotas(lustre::Client& client, const Forecast& forecast);

}  // namespace lhsm::bulk
