// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"

namespace lhsm::lustre {

struct ActionList {
  std::string fsname;
  std::vector<ActionItem> items;
  std::string damage;            ///< why the rest could not be read; empty: all was
  std::size_t unread_bytes = 0;  ///< so much of it was not read
};

/// Copy the items out of a received hsm_action_list (facts 2.4). `bytes` need not be aligned or
/// well-formed: what could be read before the first fault is returned, since each of these actions must be
/// answered, and `damage` says what the fault is.
[[nodiscard]] ActionList parse_action_list(std::span<const std::byte> bytes);

}  // namespace lhsm::lustre
