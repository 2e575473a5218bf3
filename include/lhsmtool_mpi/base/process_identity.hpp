// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lhsm {

/// Which process of which running kernel.
struct ProcessIdentity {
  std::string kernel;  ///< boot id and pid namespace
  pid_t pid = 0;
  std::uint64_t started = 0;  ///< clock ticks after the boot

  [[nodiscard]] static ProcessIdentity self();
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static std::optional<ProcessIdentity> parse(std::string_view line);
  /// Return whether it is known to run, known to be gone, or (nothing) a matter of another kernel.
  [[nodiscard]] std::optional<bool> is_running() const;
};

/// Return the name of this host, as gethostname(2) has it.
[[nodiscard]] std::string host_name();

}  // namespace lhsm
