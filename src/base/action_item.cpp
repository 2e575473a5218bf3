// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/action_item.hpp"

#include <fmt/format.h>

namespace lhsm {

std::string_view to_string(ActionKind kind) {
  switch (kind) {
    case ActionKind::none: return "NOOP";
    case ActionKind::archive: return "ARCHIVE";
    case ActionKind::restore: return "RESTORE";
    case ActionKind::remove: return "REMOVE";
    case ActionKind::cancel: return "CANCEL";
  }
  return "UNKNOWN";
}

std::string ActionItem::describe() const {
  return fmt::format("{} {} cookie {:#x}", to_string(kind), fid.bracketed(), cookie);
}

}  // namespace lhsm
