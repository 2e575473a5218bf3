// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What figures mean: pure functions from what was seen to findings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lhsmtool_mpi/check/report.hpp"

namespace lhsm::check {

/// What the run will be like.
struct Plan {
  std::string fsname;
  std::uint64_t copies = 1;                ///< at once, on all ranks
  std::uint64_t keep_alive_s = 600;        ///< --keep-alive of the run
  std::vector<std::uint32_t> archive_ids;  ///< that it serves; empty: all
};

/// A parameter of an MDT, as lctl shows it: "mdt.scratch-MDT0000.hsm.max_requests" and its value.
using Parameter = comm::CheckFact;

/// Return one or more findings for hsm_control and each tunable of the coordinators; for those that are not among
/// `seen` a warning that says how to ask the MDS.
[[nodiscard]] std::vector<CheckFinding> judge_tunables(const std::vector<Parameter>& seen, const Plan& plan);

/// The clock of a host against rank 0's: its lead, which is known to within `uncertainty_ns`.
[[nodiscard]] CheckFinding judge_clock(std::int64_t lead_ns, std::int64_t uncertainty_ns);

/// How fast messages go between rank 0 and a rank of another host.
struct Link {
  WorkerId rank = 0;
  std::string host;
  double latency_us = 0;  ///< one way, of a small message
  double mib_per_s = 0;   ///< of large ones
};

/// One line for all links, and one for each host that is far slower than most.
[[nodiscard]] std::vector<CheckFinding> judge_links(const std::vector<Link>& links);

/// Room of a file system, in bytes.
struct Room {
  std::uint64_t available = 0;
  std::uint64_t total = 0;
  std::uint64_t inodes_available = 0;
  std::uint64_t inodes = 0;  ///< 0: it does not count them
};
[[nodiscard]] CheckFinding judge_room(const std::string& subject, const std::string& name, const Room& room);

/// A Lustre version, of clients or servers ("2.16.1").
[[nodiscard]] CheckFinding judge_version(const std::string& whose, const std::string& version);

}  // namespace lhsm::check
