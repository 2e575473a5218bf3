// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lhsm::emulator {

enum Policy : std::uint32_t { POLICY_NON_BLOCKING_RESTORE = 1, POLICY_NO_RETRY_ACTION = 2 };

/// The tunables of one MDT's coordinator, with Lustre's defaults. Times are in (scaled) seconds.
struct Settings {
  std::uint64_t max_requests = 3;
  std::uint64_t loop_period = 10;
  std::uint64_t grace_delay = 60;
  std::uint64_t active_request_timeout = 3600;
  std::uint64_t default_archive_id = 1;
  std::uint32_t policy = POLICY_NO_RETRY_ACTION;
  std::uint64_t user_request_mask = mask_default;
  std::uint64_t group_request_mask = mask_default;
  std::uint64_t other_request_mask = mask_default;
  bool remove_archive_on_last_unlink = false;

  static constexpr std::uint64_t mask_default = std::uint64_t{1} << 21U;  // RESTORE only

  /// Set the tunable `name` (without "hsm."). Return 0, or -ENOENT for an unknown name, -EINVAL for
  /// a bad value (zero too), -EPERM for a name that is read only.
  int set(std::string_view name, std::string_view value);

  /// Return whether `name` is a tunable, and its text as `lctl get_param` prints it.
  [[nodiscard]] bool get(std::string_view name, std::string& text) const;

  /// What a start of the coordinator puts back to its default.
  void reset_at_start();
};

}  // namespace lhsm::emulator
