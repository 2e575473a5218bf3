// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a run of a job would do, found out without doing it: nothing is asked for, taken or changed, the job's lock and
// journal neither.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/bulk/job_manifest.hpp"
#include "lhsmtool_mpi/bulk/row_source.hpp"
#include "lhsmtool_mpi/bulk/run_work.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::bulk {

struct Amount {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;  ///< their sizes
  void add(std::uint64_t size) {
    ++items;
    bytes += size;
  }
};

/// What files of one stripe count would bring to the OSTs.
struct Striped {
  Amount amount;
  std::uint64_t largest = 0;
  std::string largest_path;  ///< below the mount point, or a FID
};

/// Items that would end without success, all for one reason.
struct Obstacle {
  static constexpr std::size_t k_most_examples = 3;
  Amount amount;
  std::vector<std::string> examples;  ///< paths below the mount point, or FIDs where there is none
};

struct Forecast {
  store::ItemAction action = store::ItemAction::none;
  Amount all;
  Amount to_do;
  Amount already;                                 ///< nothing has to be done
  Amount finished;                                ///< a former run did it
  Amount given_up;                                ///< failed in a former run; only retry takes it up again
  std::uint64_t largest = 0;                      ///< of to_do
  std::map<std::string, Obstacle> obstacles;      ///< by reason
  std::map<std::uint32_t, Amount> states;         ///< of all that a run would look at, by HS_* bits
  std::map<std::uint32_t, std::uint64_t> owners;  ///< bytes of to_do by user id
  std::map<std::uint32_t, std::uint64_t> groups;
  std::map<std::uint32_t, std::uint64_t> projects;
  std::map<std::uint32_t, Striped> striped;  ///< to_do by stripe count, 65535: all OSTs, 0: not known

  [[nodiscard]] std::uint64_t hindered() const;  ///< items that have an obstacle
};

struct ForecastOptions {
  store::ItemAction action = store::ItemAction::none;  ///< none: what the manifest says
  bool takes_up_failed = false;  ///< what failed, was refused or cancelled is to be tried again
  std::vector<std::uint32_t> archives;  ///< as AskerOptions
  lustre::Client* client = nullptr;  ///< not for an import; to look at each file now; null: states and sizes are those of the manifest
  struct Object {
    std::uint64_t size = 0;
    std::int64_t mtime = 0;  ///< in seconds
  };
  /// Look at a file's object; may be empty. Of a restore and of an import each is looked for, in several threads.
  std::function<Outcome<Object>(const Fid&)> object;
  unsigned threads = 8;
};

/// Go through all items. `invalid` where a run would be, too: no action is known, or it is another job that has work
/// left.
[[nodiscard]] Outcome<Forecast> forecast(store::SeenJob& job, const std::string& manifest_path,
                                         const ForecastOptions& options);

/// How fast files of a job are done.
struct Rates {
  double bytes_per_second = 0;  ///< 0: not known
  double files_per_second = 0;  ///< 0: not known
  std::uint64_t runs = 0;       ///< that they were taken from; 0: they were given
  std::uint64_t files = 0;      ///< done in those
  double seconds = 0;           ///< they took
};

/// Return the rates of the runs of `action` among `runs`, of which `works` are the work_of(), or nothing when none did a file.
[[nodiscard]] std::optional<Rates> rates_of(const std::vector<store::RunRecord>& runs, const std::vector<RunWork>& works,
                                            store::ItemAction action);
/// Return how long so much takes: at the rate of files or at that of bytes, whichever takes longer. Nothing when no
/// rate is known.
[[nodiscard]] std::optional<double> seconds_for(const Amount& amount, const Rates& rates);

}  // namespace lhsm::bulk
