// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/bulk/order.hpp"

namespace lhsm::bulk {

/// Where an object lies.
struct Location {
  std::string volume;
  std::uint64_t position = 0;  ///< on the volume, in any unit that orders
  friend bool operator==(const Location&, const Location&) = default;
};

/// Read "volume<TAB>position"; nothing for any other line.
[[nodiscard]] std::optional<Location> parse_location(std::string_view line);

/// Ask the site's command where objects lie: it gets `paths` on its standard input, a line each, and answers a line each, in
/// their order. An answer that is no location is nothing. A command that fails, ends with a code that is not 0, answers another
/// number of lines, or takes longer than its time, is an error; ECANCELED when `is_stopped` says so. No process of the
/// command's group is left.
[[nodiscard]] Outcome<std::vector<std::optional<Location>>> locate(const LocationCommand& command,
                                                                   const std::vector<std::string>& paths,
                                                                   const std::function<bool()>& is_stopped);

}  // namespace lhsm::bulk
