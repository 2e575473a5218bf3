// SPDX-License-Identifier: LGPL-2.1-or-later
#include "deadline_options.hpp"

#include <fmt/chrono.h>

#include <cstdlib>

#include "deadline.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/say.hpp"
#include "rank_zero.hpp"

namespace lhsm::cli {

namespace {

/// For the end of what is cut off after the drain timeout, the manifest's next generation, and the launcher.
constexpr std::chrono::seconds k_beyond_drain{60};
/// A batch job may begin when its time is over already; what is longer ago was not meant.
constexpr std::chrono::hours k_long_past{24};

}  // namespace

void add_deadline_options(CLI::App& app, DeadlineOptions& options) {
  app.add_option("--deadline", options.deadline,
                 "When the job must be over: seconds since 1970, +SECONDS or [D-]HH:MM:SS from now, or none")
      ->default_str("SLURM_JOB_END_TIME")
      ->take_last()  // a job file gives one, and so may who uses it
      ->type_name("TIME");
  app.add_option("--deadline-margin,--deadline_margin", options.margin,
                 "Seconds before the deadline at which the job stops; what would take longer is not begun")
      ->default_str("drain timeout + 60")
      ->take_last()
      ->type_name("S");
}

std::optional<TimePoint> stop_time(const DeadlineOptions& options, std::chrono::seconds drain_timeout) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::optional<WallTime> deadline;
  if (options.deadline.empty()) {
    deadline = scheduler_deadline([](const char* name) { return std::getenv(name); });
  } else {
    const auto given = parse_deadline(options.deadline, now);
    if (!given)
      throw UsageError("--deadline: '" + options.deadline + "' is no time: seconds since 1970, +SECONDS, [D-]HH:MM:SS or none");
    deadline = *given;
  }
  if (!deadline) return std::nullopt;
  if (!options.deadline.empty() && now - *deadline > k_long_past)
    throw UsageError("--deadline: '" + options.deadline + "' is long past; a time from now has a +, as +3600");
  const auto margin = options.margin ? std::chrono::seconds(*options.margin) : drain_timeout + k_beyond_drain;
  const auto stop_at = *deadline - margin;
  // Rank 0 decides; it says so before the log is set up, as the line is of use when all else fails.
  if (speaks_for_all()) {
    say(stdout, "the job stops at {:%Y-%m-%dT%H:%M:%SZ}, {} s before its deadline\n", fmt::gmtime(stop_at), margin.count());
    std::fflush(stdout);
  }
  // The day of the year 36812 would be beyond what the other clock can hold.
  constexpr std::chrono::hours k_far{24 * 365 * 100};
  if (stop_at - now > k_far) return std::nullopt;
  return RealClock().now() + (stop_at - now);
}

}  // namespace lhsm::cli
