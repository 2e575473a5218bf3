// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What `plan` says, as text and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lhsmtool_mpi/bulk/forecast.hpp"
#include "lhsmtool_mpi/bulk/room.hpp"

namespace lhsm::cli {

/// Room where the files, or their objects, are to go.
struct Room {
  std::string where;        ///< directory that was looked at
  std::uint64_t bytes = 0;  ///< free for ordinary users
  std::uint64_t files = 0;  ///< that can still be made
  std::uint64_t needed_bytes = 0;
  std::uint64_t needed_files = 0;  ///< 0: the files are there already
  [[nodiscard]] bool fits() const { return needed_bytes <= bytes && needed_files <= files; }
};

struct Plan {
  std::string manifest;
  std::string mount_point;  ///< on which each file was looked at; empty: the manifest's states were taken
  bool objects_looked_for = false;
  std::int64_t scanned_ns = 0;  ///< when the manifest was made
  bulk::Forecast forecast;
  std::optional<Room> room;  ///< nothing: not needed, or not looked at
  std::string room_note;     ///< why not, or what was not checked
  std::optional<bulk::OstForecast> osts;
  std::string osts_note;  ///< why there is none, where there could be
  std::optional<bulk::QuotaForecast> quotas;
  std::optional<bulk::Rates> rates;
  std::optional<double> seconds;
  std::string time_note;  ///< why there is no estimate, or what it supposes
};

/// Return whether all can be done, as far as was looked.
[[nodiscard]] bool is_clear(const Plan& plan);
[[nodiscard]] std::string as_text(const Plan& plan);
[[nodiscard]] std::string as_json(const Plan& plan);

}  // namespace lhsm::cli
