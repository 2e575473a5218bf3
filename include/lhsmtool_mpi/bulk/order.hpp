// SPDX-License-Identifier: LGPL-2.1-or-later
//
// In what order the files of a job are asked for. Any order but the manifest's is made before the job begins, by sorting
// all its rows in files beside the manifest (docs/architecture.md), and not kept for the next run.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "lhsmtool_mpi/bulk/row_source.hpp"

namespace lhsm::bulk {

enum class Order : std::uint8_t {
  list,              ///< as in the manifest
  size,              ///< small files first
  size_desc,         ///< large files first
  path,              ///< byte by byte: what is in one directory comes together
  archive_location,  ///< volume by volume, in the order of positions
};

/// Who takes turns: as many files of each are asked for, while there are any.
enum class Fairness : std::uint8_t { none, uid, projid };

/// The command that tells where objects lie (object_locator.hpp).
struct LocationCommand {
  std::string command;  ///< for sh -c
  std::chrono::milliseconds timeout{600'000};  ///< for one call
  std::size_t batch = 10'000;                  ///< objects in one call
};

struct OrderOptions {
  Order order = Order::list;
  Fairness fair = Fairness::none;  ///< not together with archive_location
  std::map<std::uint32_t, std::uint32_t> weights;  ///< files in one turn, by owner; 1 where nothing is said
  std::size_t max_volumes = 0;     ///< of which files are under way at once; 0: any number, one after the other
  LocationCommand location;        ///< empty command: what the manifest says
  std::function<std::string(const Fid&)> object_path;  ///< as the command gets it
  std::function<bool()> is_stopped;  ///< asked now and then while the order is made; may be empty
  bool with_details = false;  ///< rows have them; for the manifest's own order only
  std::size_t sorted_at_once = std::size_t{64} << 20;  ///< bytes in memory

  [[nodiscard]] bool is_the_manifests() const { return order == Order::list && fair == Fairness::none; }
};

/// Return the rows of a manifest that are pending, in that order. The manifest and the state outlive what is returned;
/// files of the sorting are made beside `path`. ECANCELED: `is_stopped` said so. `invalid`: locations are wanted, and
/// nobody knows any. What the command cannot tell goes last, and is counted in the log.
[[nodiscard]] Outcome<std::unique_ptr<RowSource>> rows_in_order(store::ManifestReader& manifest,
                                                                const store::JournalState& state, const std::string& path,
                                                                const OrderOptions& options);

}  // namespace lhsm::bulk
