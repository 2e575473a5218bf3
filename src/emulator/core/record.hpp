// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a coordinator remembers of a request: the record of its log, and the part that exists only
// while an agent works on it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/interval_union.hpp"
#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/fid.hpp"
#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::emulator {

enum class RecordStatus : std::uint8_t { waiting, started, failed, canceled, succeed };

[[nodiscard]] constexpr bool is_final(RecordStatus status) {
  return status != RecordStatus::waiting && status != RecordStatus::started;
}

/// Position of a record in its MDT's log; records are handed out in this order.
using RecordId = std::uint64_t;

/// One action of one file, as asked for and as it ended. A CANCEL carries the cookie of its target.
struct Record {
  RecordId id = 0;
  RecordStatus status = RecordStatus::waiting;
  std::uint32_t action = abi::HSMA_NONE;
  std::uint32_t archive_id = 0;
  std::uint64_t flags = 0;
  Fid fid;
  abi::hsm_extent extent{};
  std::uint64_t cookie = 0;
  std::string data;  ///< opaque bytes of the user
  TimePoint changed;
};

/// A request that was sent to an agent and has not ended.
struct Running {
  RecordId record = 0;
  std::string agent;  ///< uuid of the client
  Fid fid;
  Fid dfid;  ///< the volatile file, once a restore's first progress named it
  std::uint32_t action = abi::HSMA_NONE;
  bool canceled = false;
  bool ending = false;  ///< its end was accepted and the data are being swapped in
  TimePoint updated;
  IntervalUnion done;
};

[[nodiscard]] std::string_view action_name(std::uint32_t action);
[[nodiscard]] std::string_view status_name(RecordStatus status);

}  // namespace lhsm::emulator
