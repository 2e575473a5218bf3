// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::lustre {

struct ActionList {
  std::string fsname;
  std::vector<ActionItem> items;
};

/// Copy the items out of a received hsm_action_list (facts 2.4). `bytes` is what recv() returned; it
/// need not be aligned or well-formed: a list that does not hold what it says is `corrupt`, EPROTO.
[[nodiscard]] Outcome<ActionList> parse_action_list(std::span<const std::byte> bytes);

}  // namespace lhsm::lustre
