// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/admission.hpp"

#include <cerrno>

#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::emulator {

using namespace abi;

bool action_is_needed(std::uint32_t action, std::uint64_t flags, const HsmState& state) {
  if ((flags & HSM_FORCE_ACTION) != 0) return true;
  switch (action) {
    case HSMA_ARCHIVE: return (state.flags & HS_DIRTY) != 0 || (state.flags & HS_ARCHIVED) == 0;
    case HSMA_RESTORE:
      // A dirty file needs "something", so that the next check can refuse it.
      return (state.flags & (HS_RELEASED | HS_DIRTY)) != 0;
    case HSMA_REMOVE: return (state.flags & (HS_ARCHIVED | HS_EXISTS)) != 0;
    default: return action == HSMA_CANCEL;
  }
}

bool action_is_compatible(std::uint32_t action, std::uint32_t archive_id, const HsmState& state) {
  const auto flags = state.flags;
  switch (action) {
    case HSMA_ARCHIVE:
      if ((flags & HS_NOARCHIVE) != 0) return false;
      if ((flags & HS_ARCHIVED) != 0 && (flags & HS_DIRTY) == 0) return false;
      return (flags & HS_EXISTS) == 0 || archive_id == 0 || archive_id == state.archive_id;
    case HSMA_RESTORE:
      return (flags & HS_DIRTY) == 0 && (flags & HS_RELEASED) != 0 && (flags & HS_ARCHIVED) != 0 &&
             (flags & HS_LOST) == 0;
    case HSMA_REMOVE: return (flags & HS_RELEASED) == 0 && (flags & (HS_ARCHIVED | HS_EXISTS)) != 0;
    default: return action == HSMA_CANCEL;
  }
}

int check_release(const HsmState& state, std::uint64_t data_version) {
  if ((state.flags & HS_ARCHIVED) == 0) return -EPERM;
  if ((state.flags & (HS_DIRTY | HS_NORELEASE | HS_LOST)) != 0) return -EPERM;
  return state.archive_version == data_version ? 0 : -EPERM;
}

int change_flags(HsmState& state, std::uint64_t set, std::uint64_t clear, std::uint32_t archive_id, bool is_admin) {
  if (((set | clear) & ~std::uint64_t{HSM_FLAGS_MASK}) != 0) return -EINVAL;
  if (((set | clear) & ~std::uint64_t{HSM_USER_MASK}) != 0 && !is_admin) return -EPERM;
  HsmState after = state;
  after.flags |= static_cast<std::uint32_t>(set);
  after.flags &= ~static_cast<std::uint32_t>(clear);
  const auto has = [&after](std::uint32_t bits) { return (after.flags & bits) != 0; };
  if (archive_id > 0) {
    // Lustre answers success and saves nothing at all, flags included.
    if (!has(HS_EXISTS)) return 0;
    after.archive_id = archive_id;
  }
  if (has(HS_DIRTY) && !has(HS_EXISTS)) return -EINVAL;
  if (has(HS_RELEASED) && (has(HS_DIRTY) || !has(HS_ARCHIVED))) return -EINVAL;
  if (has(HS_LOST) && !has(HS_ARCHIVED)) return -EINVAL;
  state = after;
  return 0;
}

}  // namespace lhsm::emulator
