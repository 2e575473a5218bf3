// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How a run stands, as others see it: a plain structure, its JSON (docs/status-and-metrics.md), and a table of it for people.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::report {

/// Actions of one kind.
struct KindStatus {
  std::string name;  ///< "restore"
  std::uint64_t pending = 0;
  std::uint64_t running = 0;
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t put_back = 0;
};

struct RankStatus {
  std::int64_t rank = 0;
  std::string host;
  std::uint64_t slots = 0;
  std::uint64_t running = 0;  ///< slots at work
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::uint64_t bytes_copied = 0;
  double bytes_per_second = 0;
  double files_per_second = 0;
};

struct HostStatus {
  std::string name;
  std::uint64_t ranks = 0;
  RankStatus sum;  ///< of its ranks
};

struct FileStatus {
  std::string action;
  std::string fid;
  std::int64_t rank = -1;
  std::uint64_t size = 0;
  std::uint64_t done = 0;
  double seconds = 0;  ///< since its action came
  bool is_striped = false;
  std::uint64_t extents_done = 0;
  std::uint64_t extents_running = 0;
};

struct JobStatus {
  std::uint64_t items = 0;
  std::uint64_t final = 0;
  std::uint64_t unsuccessful = 0;
  bool lacks_space = false;
  std::uint64_t bytes = 0;  ///< sizes of the items; 0: they are nothing to the job
  std::uint64_t final_bytes = 0;  ///< running copies included
  std::optional<double> seconds_left;  ///< an estimate
};

struct ErrorStatus {
  std::string what;
  std::uint64_t count = 0;
};

struct RunStatus {
  std::string state;  ///< "starting", "running", "stopping", "ended"
  std::string command;
  std::string mount_point;
  std::string version;
  std::string host;           ///< of rank 0
  std::string process;        ///< rank 0, as ProcessIdentity::text()
  std::int64_t started_ms = 0;  ///< since 1970
  std::int64_t updated_ms = 0;
  std::vector<KindStatus> kinds;
  std::uint64_t unverified = 0;
  std::uint64_t file_bytes = 0;    ///< of the files that are done, without what earlier runs had copied
  std::uint64_t bytes_copied = 0;  ///< running copies included
  double bytes_per_second = 0;     ///< of the last minute or so
  double files_per_second = 0;
  std::uint64_t bandwidth_limit = 0;  ///< bytes per second; 0: none
  std::uint64_t user_restores = 0;    ///< restores that are not the job's own, pending or running
  std::optional<double> oldest_user_restore;  ///< seconds that somebody has waited
  std::optional<JobStatus> job;
  std::uint64_t rank_count = 0;
  std::vector<RankStatus> ranks;  ///< empty for a run that tells nothing of them
  std::vector<FileStatus> files;
  std::vector<ErrorStatus> errors;  ///< the most frequent first

  [[nodiscard]] std::vector<HostStatus> hosts() const;  ///< in the order of their first ranks
};

/// Return whether `bytes`, the first of a file, may be those of a RunStatus as JSON.
[[nodiscard]] bool looks_like_status(std::string_view bytes);

[[nodiscard]] std::string to_json(const RunStatus& status);
/// `invalid`, EINVAL: it is none.
[[nodiscard]] Outcome<RunStatus> status_of_json(std::string_view text);

/// Return whether its process is known to be gone without having said so.
[[nodiscard]] bool is_gone(const RunStatus& status);
/// Return why `status` says nothing about now, if so: its process is gone, or it has not been written for half a minute.
[[nodiscard]] std::optional<std::string> staleness(const RunStatus& status, std::int64_t now_ms);

/// Return lines for a terminal, of hosts, ranks and files at most so many each.
[[nodiscard]] std::string status_table(const RunStatus& status, std::int64_t now_ms, std::size_t most_rows);

}  // namespace lhsm::report
