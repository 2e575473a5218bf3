// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/judge.hpp"

#include <cassert>

namespace lhsm::bulk {

using store::ItemAction;

Verdict judge(ItemAction action, const lustre::HsmState& state, std::uint32_t archive_id) {
  const auto has = [&state](std::uint32_t bits) { return (state.states & bits) != 0; };
  switch (action) {
    case ItemAction::archive:
      if (has(abi::HS_ARCHIVED) && !has(abi::HS_DIRTY)) return Verdict::already;
      if (has(abi::HS_NOARCHIVE)) return Verdict::refused;
      if (has(abi::HS_EXISTS) && archive_id != 0 && archive_id != state.archive_id) return Verdict::refused;
      return Verdict::ask;
    case ItemAction::restore:
      if (!has(abi::HS_RELEASED)) return Verdict::already;
      return has(abi::HS_LOST) || !has(abi::HS_ARCHIVED) ? Verdict::refused : Verdict::ask;
    case ItemAction::release:
      if (has(abi::HS_RELEASED)) return Verdict::already;
      return !has(abi::HS_ARCHIVED) || has(abi::HS_DIRTY | abi::HS_NORELEASE | abi::HS_LOST) ? Verdict::refused
                                                                                                : Verdict::ask;
    case ItemAction::remove:
      if (!has(abi::HS_ARCHIVED | abi::HS_EXISTS)) return Verdict::already;
      return has(abi::HS_RELEASED) ? Verdict::refused : Verdict::ask;
    case ItemAction::none: break;
  }
  assert(false && "no action");
  return Verdict::refused;
}

abi::hsm_user_action request_of(ItemAction action) {
  switch (action) {
    case ItemAction::archive: return abi::HUA_ARCHIVE;
    case ItemAction::restore: return abi::HUA_RESTORE;
    case ItemAction::release: return abi::HUA_RELEASE;
    case ItemAction::remove: return abi::HUA_REMOVE;
    case ItemAction::none: break;
  }
  assert(false && "no action");
  return abi::HUA_NONE;
}

}  // namespace lhsm::bulk
