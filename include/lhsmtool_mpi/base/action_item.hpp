// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/extent.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm {

/// What the coordinator may ask for; the values are Lustre's (enum hsm_copytool_action). A value
/// outside of these can arrive and must be answered, so an ActionKind is not always one of them.
enum class ActionKind : std::uint32_t { none = 10, archive = 20, restore = 21, remove = 22, cancel = 23 };

[[nodiscard]] std::string_view to_string(ActionKind kind);

/// One request of the coordinator to the copytool, copied out of the list in which it came.
struct ActionItem {
  ActionKind kind = ActionKind::none;
  Fid fid;                        ///< the file
  Fid dfid;                       ///< the same as fid when it arrives
  Extent extent{0, ~0ULL};        ///< as the user asked; length ~0 is "to the end"
  std::uint64_t cookie = 0;       ///< unique per MDT only; a CANCEL carries its target's
  std::uint64_t gid = 0;
  std::uint64_t list_flags = 0;   ///< hal_flags of the list it came in
  std::uint32_t archive_id = 0;
  std::int32_t mdt_index = -1;    ///< MDT of `fid`; -1 when it could not be found out
  std::string data;               ///< opaque bytes of the user

  /// Return "RESTORE [0x..:0x..:0x..] cookie 0x..", for log lines.
  [[nodiscard]] std::string describe() const;
};

}  // namespace lhsm
