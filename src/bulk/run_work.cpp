// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/run_work.hpp"

#include <algorithm>
#include <string_view>

#include "lhsmtool_mpi/bulk/job_manifest.hpp"
#include "lhsmtool_mpi/bulk/row_walk.hpp"

namespace lhsm::bulk {

using store::Column;
using store::ItemSlice;
using store::RunRecord;

std::vector<RunRecord> runs_of(const store::SeenJob& job) {
  std::vector<RunRecord> runs = job.manifest.runs();
  runs.insert(runs.end(), job.state.runs().begin(), job.state.runs().end());
  // Hosts' clocks differ.
  std::stable_sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.begin_ns < b.begin_ns; });
  return runs;
}

namespace {

std::string_view command_of(const RunRecord& run) {
  const std::string_view line = run.command_line;
  const auto begin = std::min(line.find(' '), line.size());
  const auto word = line.substr(begin, line.find(' ', begin + 1) - begin);
  return word.empty() ? word : word.substr(1);
}

}  // namespace

bool is_run_of(const RunRecord& run, store::ItemAction action) { return command_of(run) == to_string(action); }

std::size_t first_run_of(const std::vector<RunRecord>& runs, store::ItemAction action) {
  std::size_t first = runs.size();
  for (std::size_t i = runs.size(); i-- > 0;) {
    if (is_run_of(runs[i], action))
      first = i;
    else if (command_of(runs[i]) != "retry")
      break;
  }
  return first;
}

std::size_t run_at(const std::vector<RunRecord>& runs, std::int64_t time_ns) {
  const auto after = std::upper_bound(runs.begin(), runs.end(), time_ns,
                                      [](std::int64_t time, const auto& run) { return time < run.begin_ns; });
  return after == runs.begin() ? runs.size() : static_cast<std::size_t>(after - runs.begin()) - 1;
}

Outcome<std::vector<RunWork>> work_of(store::SeenJob& job, const std::vector<RunRecord>& runs) {
  std::vector<RunWork> works(runs.size());
  const store::Columns columns{Column::result, Column::end, Column::bytes_copied};
  LHSM_TRY(for_each_slice(job.manifest, job.state, columns, [&](std::uint64_t, const ItemSlice& slice) -> Status {
    for (std::size_t i = 0; i < slice.result.size(); ++i) {
      const std::size_t run = slice.end[i] > 0 ? run_at(runs, slice.end[i]) : runs.size();
      if (run == runs.size()) continue;
      RunWork& work = works[run];
      work.last_end_ns = std::max(work.last_end_ns, slice.end[i]);
      if (slice.result[i] != store::ItemResult::done) continue;
      ++work.files;
      work.bytes += slice.bytes_copied[i];
    }
    return {};
  }));
  return works;
}

}  // namespace lhsm::bulk
