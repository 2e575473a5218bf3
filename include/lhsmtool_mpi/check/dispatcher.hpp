// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rank 0 of a check: asks all ranks, compares and judges what they see.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/check/judge.hpp"
#include "lhsmtool_mpi/check/report.hpp"
#include "lhsmtool_mpi/comm/channel.hpp"

namespace lhsm::check {

struct DispatcherOptions {
  std::string build;  ///< that all ranks must be of
  Plan plan;          ///< fsname is found out
  std::uint64_t copies_per_rank = 4;
  bool writes_probe = true;
  Duration patience = std::chrono::seconds(60);  ///< with a rank that does not answer
};

/// For one thread, but for stop().
class Dispatcher {
 public:
  /// `channel` outlives it.
  Dispatcher(comm::Channel& channel, int ranks, DispatcherOptions options);

  /// Ask all ranks; return whether it came to its end, not to a stop. Throws Fatal when one is of another build, or did not even greet.
  [[nodiscard]] bool run();
  /// Take in what was measured elsewhere, by ranks that are named by their number only.
  void add_links(std::vector<Link> links);
  /// Send all ranks home. Return whether all have gone within half a minute.
  [[nodiscard]] bool dismiss();

  /// Let run() return soon. Any thread.
  void stop();

  [[nodiscard]] const Report& report() const { return m_report; }
  /// The file that rank 0 made in the archive, and removes when it goes home; may be empty.
  [[nodiscard]] const std::string& probe() const { return m_probe; }
  [[nodiscard]] const std::vector<Link>& links() const { return m_links; }
  /// Ranks that did not answer in time: they hang, and will not go home.
  [[nodiscard]] bool has_silent_ranks() const;

 private:
  struct Rank {
    std::string host;
    bool speaks_for_host = false;
    bool is_silent = false;  // did not answer in time, which is in the report
    bool has_answered = false;
    std::string at = "mount";  // what it looks at
  };

  void compare_clocks();
  void make_probe();
  void ask_all();
  void give_up(std::size_t rank, const std::string& subject);
  void take(WorkerId from, const comm::CheckFound& found);
  void compare(const std::string& fact, CheckVerdict verdict, const std::string& subject, const std::string& remedy);

  comm::Channel& m_channel;
  DispatcherOptions m_options;
  std::vector<Rank> m_ranks;
  Report m_report;
  std::vector<Link> m_links;
  std::vector<Parameter> m_parameters;                                           // of the MDTs, from whoever sees them
  std::map<std::string, std::map<std::string, std::set<WorkerId>>> m_facts;  // by name and value
  std::string m_probe;
  std::atomic<bool> m_stop = false;
};

}  // namespace lhsm::check
