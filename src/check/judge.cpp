// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/check/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::check {

namespace {

constexpr std::int64_t k_clock_tolerance_ns = 1'000'000'000;
constexpr double k_far_slower = 4;
constexpr double k_latency_that_counts_us = 200;  // below it a difference does not matter
constexpr double k_slow_latency_us = 5000;
constexpr unsigned k_oldest_major = 2;
constexpr unsigned k_oldest_minor = 15;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

CheckFinding judge_clock(std::int64_t lead_ns, std::int64_t uncertainty_ns) {
  const bool differs = std::llabs(lead_ns) - uncertainty_ns > k_clock_tolerance_ns;
  if (!differs) return {CheckVerdict::ok, "clock", "within a second of rank 0's", ""};
  return {CheckVerdict::warn, "clock",
          fmt::format("{:.1f} s {} rank 0's: times in logs and reports, and deadlines of jobs, do not fit together",
                      std::abs(static_cast<double>(lead_ns)) / 1e9, lead_ns > 0 ? "ahead of" : "behind"),
          "let chrony or ntpd set the clock of this host"};
}

std::vector<CheckFinding> judge_links(const std::vector<Link>& links) {
  std::vector<CheckFinding> findings;
  if (links.empty()) return findings;
  std::vector<double> latencies;
  std::vector<double> bandwidths;
  for (const Link& link : links) {
    latencies.push_back(link.latency_us);
    bandwidths.push_back(link.mib_per_s);
  }
  const auto [fastest, slowest] = std::minmax_element(latencies.begin(), latencies.end());
  const auto [least, most] = std::minmax_element(bandwidths.begin(), bandwidths.end());
  findings.push_back({CheckVerdict::ok, "mpi",
                      fmt::format("{} link{} from rank 0: latency {:.1f} to {:.1f} us, bandwidth {:.0f} to {:.0f} MiB/s", links.size(),
                                  links.size() == 1 ? "" : "s", *fastest, *slowest, *least, *most),
                      ""});
  const double usual_latency = median(latencies);
  const double usual_bandwidth = median(bandwidths);
  for (const Link& link : links) {
    const bool is_late = link.latency_us > std::max(k_latency_that_counts_us, k_far_slower * usual_latency);
    const bool is_narrow = link.mib_per_s < usual_bandwidth / k_far_slower;
    if (is_late || is_narrow)
      findings.push_back({CheckVerdict::warn, "mpi",
                          fmt::format("{} (rank {}) is far slower than most: latency {:.1f} us, bandwidth {:.0f} MiB/s, where {:.1f} us "
                                      "and {:.0f} MiB/s are usual",
                                      link.host, link.rank, link.latency_us, link.mib_per_s, usual_latency, usual_bandwidth),
                          "look at the network of this host, or leave it out"});
  }
  if (usual_latency > k_slow_latency_us)
    findings.push_back({CheckVerdict::warn, "mpi", fmt::format("messages take {:.1f} ms", usual_latency / 1000),
                        "let MPI use the fast network (--mca btl_tcp_if_include, --mca pml)"});
  return findings;
}

CheckFinding judge_room(const std::string& subject, const std::string& name, const Room& room) {
  const std::string text = fmt::format("{}: {} of {} are free", name, format_size(room.available), format_size(room.total));
  if (room.total == 0) return {CheckVerdict::warn, subject, fmt::format("{}: does not say how much room there is", name), "df on the server that has it"};
  if (room.available == 0) return {CheckVerdict::fail, subject, text, "make room"};
  if (room.inodes > 0 && room.inodes_available == 0)
    return {CheckVerdict::fail, subject, fmt::format("{}: no inode is free", name), "make room: remove files"};
  const bool is_scarce = room.available < room.total / 20;
  const bool has_few_inodes = room.inodes > 0 && room.inodes_available < room.inodes / 50;
  if (is_scarce || has_few_inodes)
    return {CheckVerdict::warn, subject, has_few_inodes ? fmt::format("{}, and {} of {} inodes", text, room.inodes_available, room.inodes) : text,
            "see with lhsmtool_mpi plan whether the job fits"};
  return {CheckVerdict::ok, subject, text, ""};
}

CheckFinding judge_version(const std::string& whose, const std::string& version) {
  unsigned major = 0;
  unsigned minor = 0;
  const std::string text = fmt::format("Lustre {} on {}", version, whose);
  if (std::sscanf(version.c_str(), "%u.%u", &major, &minor) != 2)
    return {CheckVerdict::warn, "version", fmt::format("'{}' is no version of Lustre that is known here ({})", version, whose), "try a few files before all"};
  if (major < k_oldest_major || (major == k_oldest_major && minor < k_oldest_minor))
    return {CheckVerdict::warn, "version", text + ": older than what this tool was made for",
            fmt::format("{}.{} or newer", k_oldest_major, k_oldest_minor)};
  return {CheckVerdict::ok, "version", text, ""};
}

}  // namespace lhsm::check
