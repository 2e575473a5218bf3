// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What one can set of the modelled cluster, as values and as the words of `lhsm_emulator model`.
#pragma once

#include <string>
#include <vector>

#include "core/cluster_state.hpp"

namespace lhsm::emulator {

struct OstSetting {
  OstCondition condition = OstCondition::ok;
  std::uint64_t bandwidth = 0;  ///< bytes a second, of a slow one
};

struct ModelSettings {
  bool is_on = false;
  // Bytes a second, 0: no limit.
  std::uint64_t client_bandwidth = 0;  ///< of each client, for reads and for writes
  std::uint64_t ost_bandwidth = 0;     ///< of each OST, for reads and writes together
  // Nanoseconds.
  std::uint64_t rpc_latency = 0;
  std::uint64_t jitter = 0;  ///< the most that is added to the latency
  std::uint64_t seed = 1;    ///< of the jitter
  std::vector<OstSetting> osts;

  static ModelSettings read_from(const ClusterState& state);
  /// Put these in force for every process at once, what waits included.
  void write_to(ClusterState& state) const;

  /// Apply one word, "client-bandwidth=50M" or "off". `invalid`, with the reason as operation and
  /// the word as subject, for what is none.
  Status apply(const std::string& word);
};

/// Return a setting's value as apply() reads it: "50M", "unlimited", "0.5ms", "slow:10M".
[[nodiscard]] std::string bandwidth_text(std::uint64_t bytes_per_second);
[[nodiscard]] std::string time_text(std::uint64_t nanoseconds);
[[nodiscard]] std::string ost_text(const OstSetting& ost);

}  // namespace lhsm::emulator
